package dev.skep.controlapi.codec;

import java.nio.charset.StandardCharsets;

/**
 * Checks that bytes are JSON, with the texts that Go's scanner has for everything that is not. Reading comes after, so
 * that a syntax error anywhere in the body wins over a wrong type before it, as it does in Go.
 */
final class JsonSyntax {
  /** Deeper nesting is refused. No message of the API is nested a quarter as deep. */
  static final int MAX_DEPTH = 128;

  sealed interface Result {}

  record Empty() implements Result {}

  record Truncated() implements Result {}

  record Broken(String message) implements Result {}

  /** A whole value stands at these offsets. */
  record Value(int from, int to) implements Result {
    String text(byte[] bytes) {
      return new String(bytes, from, to - from, StandardCharsets.UTF_8);
    }
  }

  private static final class SyntaxError extends Exception {
    private final Result result;

    SyntaxError(Result result) {
      super(null, null, false, false);
      this.result = result;
    }

    Result result() {
      return result;
    }
  }

  private final byte[] in;
  private int at;

  private JsonSyntax(byte[] in) {
    this.in = in;
  }

  /** The first value; what follows it is not looked at, as Go's Decoder does not. */
  static Result firstValue(byte[] in) {
    JsonSyntax scanner = new JsonSyntax(in);
    scanner.space();
    if (scanner.at == in.length) {
      return new Empty();
    }
    int from = scanner.at;
    try {
      scanner.value(0);
      return new Value(from, scanner.at);
    } catch (SyntaxError e) {
      return e.result();
    }
  }

  /** The only value: anything but white space behind it is an error. */
  static Result onlyValue(byte[] in) {
    Result first = firstValue(in);
    if (first instanceof Value value) {
      JsonSyntax rest = new JsonSyntax(in);
      rest.at = value.to();
      rest.space();
      if (rest.at < in.length) {
        return rest.broken("after top-level value");
      }
    }
    return first;
  }

  private void value(int depth) throws SyntaxError {
    if (depth > MAX_DEPTH) {
      throw new SyntaxError(new Broken("exceeded max depth"));
    }
    int c = peek();
    switch (c) {
      case '{' -> object(depth);
      case '[' -> array(depth);
      case '"' -> string();
      case 't' -> literal("true");
      case 'f' -> literal("false");
      case 'n' -> literal("null");
      case '-' -> number();
      default -> {
        if (!digit(c)) {
          throw new SyntaxError(broken("looking for beginning of value"));
        }
        number();
      }
    }
  }

  private void object(int depth) throws SyntaxError {
    at++;
    space();
    if (peek() == '}') {
      at++;
      return;
    }
    while (true) {
      space();
      expect('"', "looking for beginning of object key string");
      at--;
      string();
      space();
      expect(':', "after object key");
      space();
      value(depth + 1);
      space();
      if (peek() == '}') {
        at++;
        return;
      }
      expect(',', "after object key:value pair");
    }
  }

  private void array(int depth) throws SyntaxError {
    at++;
    space();
    if (peek() == ']') {
      at++;
      return;
    }
    while (true) {
      space();
      value(depth + 1);
      space();
      if (peek() == ']') {
        at++;
        return;
      }
      expect(',', "after array element");
    }
  }

  private void string() throws SyntaxError {
    at++;
    while (true) {
      int c = peek();
      if (c == '"') {
        at++;
        return;
      }
      if (c < 0x20) {
        throw new SyntaxError(broken("in string literal"));
      }
      at++;
      if (c == '\\') {
        escape();
      }
    }
  }

  private void escape() throws SyntaxError {
    int c = peek();
    if (c == 'u') {
      at++;
      for (int i = 0; i < 4; i++) {
        if (Character.digit(peek(), 16) < 0) {
          throw new SyntaxError(broken("in \\u hexadecimal character escape"));
        }
        at++;
      }
    } else if ("\"\\/bfnrt".indexOf(c) >= 0) {
      at++;
    } else {
      throw new SyntaxError(broken("in string escape code"));
    }
  }

  private void literal(String word) throws SyntaxError {
    at++;
    for (int i = 1; i < word.length(); i++) {
      expect(word.charAt(i), "in literal " + word + " (expecting '" + word.charAt(i) + "')");
    }
  }

  private void number() throws SyntaxError {
    if (in[at] == '-') {
      at++;
      if (!digit(peek())) {
        throw new SyntaxError(broken("in numeric literal"));
      }
    }
    if (in[at] == '0') {
      at++;
    } else {
      digits();
    }
    if (at < in.length && in[at] == '.') {
      at++;
      if (!digit(peek())) {
        throw new SyntaxError(broken("after decimal point in numeric literal"));
      }
      digits();
    }
    if (at < in.length && (in[at] == 'e' || in[at] == 'E')) {
      at++;
      int sign = peek();
      if (sign == '+' || sign == '-') {
        at++;
      }
      if (!digit(peek())) {
        throw new SyntaxError(broken("in exponent of numeric literal"));
      }
      digits();
    }
  }

  private void digits() {
    while (at < in.length && digit(in[at])) {
      at++;
    }
  }

  private static boolean digit(int c) {
    return c >= '0' && c <= '9';
  }

  private void space() {
    while (at < in.length && (in[at] == ' ' || in[at] == '\t' || in[at] == '\r' || in[at] == '\n')) {
      at++;
    }
  }

  private int peek() throws SyntaxError {
    if (at >= in.length) {
      throw new SyntaxError(new Truncated());
    }
    return in[at] & 0xff;
  }

  private void expect(int c, String context) throws SyntaxError {
    if (peek() != c) {
      throw new SyntaxError(broken(context));
    }
    at++;
  }

  private Broken broken(String context) {
    return new Broken("invalid character " + quoted(in[at] & 0xff) + " " + context);
  }

  /** A byte between single quotes, escaped as Go's strconv.Quote does. */
  private static String quoted(int c) {
    return switch (c) {
      case '\'' -> "'\\''";
      case '\\' -> "'\\\\'";
      case '\n' -> "'\\n'";
      case '\r' -> "'\\r'";
      case '\t' -> "'\\t'";
      case '\b' -> "'\\b'";
      case '\f' -> "'\\f'";
      case 0x07 -> "'\\a'";
      case 0x0b -> "'\\v'";
      default -> {
        if (c < 0x20 || c == 0x7f) {
          yield String.format("'\\x%02x'", c);
        }
        yield c >= 0x80 && c <= 0xa0 || c == 0xad ? String.format("'\\u%04x'", c) : "'" + (char) c + "'";
      }
    };
  }
}
