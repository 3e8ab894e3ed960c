package dev.skep.controlapi.shell.http;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The head of a request, as it was sent. Header names keep their case; look-ups ignore it. */
public record Head(String method, String target, boolean http10, List<Header> headers) {
  /** One header line. */
  public record Header(String name, String value) {}

  private static final String TOKEN_EXTRAS = "!#$%&'*+-.^_`|~";
  private static final int MAX_HEADERS = 128;

  /** How the body after a head is delimited. */
  sealed interface Framing {
    record Length(long bytes) implements Framing {}

    record Chunked() implements Framing {}
  }

  /** Reads a head from its bytes. */
  static Head parse(byte[] bytes) throws MalformedRequest {
    String[] lines = new String(bytes, StandardCharsets.ISO_8859_1).replaceAll("[\r\n]+$", "").split("\r?\n", -1);
    String[] first = lines[0].split(" ", -1);
    if (first.length != 3 || !isToken(first[0]) || first[1].isEmpty()) {
      throw new MalformedRequest(400, "malformed HTTP request");
    }
    boolean http10 = first[2].equals("HTTP/1.0");
    if (!http10 && !first[2].equals("HTTP/1.1")) {
      throw new MalformedRequest(505, "unsupported protocol version");
    }
    if (lines.length - 1 > MAX_HEADERS) {
      throw new MalformedRequest(431, "too many header lines");
    }
    List<Header> headers = new ArrayList<>();
    for (int i = 1; i < lines.length; i++) {
      int colon = lines[i].indexOf(':');
      if (colon <= 0 || !isToken(lines[i].substring(0, colon)) || hasControls(lines[i])) {
        throw new MalformedRequest(400, "malformed header line");
      }
      headers.add(new Header(lines[i].substring(0, colon), lines[i].substring(colon + 1).strip()));
    }
    return new Head(first[0], originForm(first[1]), http10, List.copyOf(headers));
  }

  /** The first header of this name. */
  public Optional<String> header(String name) {
    return headers.stream().filter(header -> header.name().equalsIgnoreCase(name)).map(Header::value).findFirst();
  }

  /** Whether a comma-separated header names this option. */
  public boolean lists(String name, String option) {
    for (Header header : headers) {
      if (header.name().equalsIgnoreCase(name)) {
        for (String part : header.value().split(",")) {
          if (part.strip().equalsIgnoreCase(option)) {
            return true;
          }
        }
      }
    }
    return false;
  }

  public boolean upgrade() {
    return lists("Connection", "upgrade") && header("Upgrade").isPresent();
  }

  public boolean keepAlive() {
    return http10 ? lists("Connection", "keep-alive") : !lists("Connection", "close");
  }

  Framing framing() throws MalformedRequest {
    List<String> codings = valuesOf("Transfer-Encoding");
    List<String> lengths = valuesOf("Content-Length");
    if (!codings.isEmpty()) {
      // Both at once is how requests are smuggled past a front door.
      if (!lengths.isEmpty() || codings.size() > 1) {
        throw new MalformedRequest(400, "a request with both Content-Length and Transfer-Encoding");
      }
      if (!codings.getFirst().equalsIgnoreCase("chunked")) {
        throw new MalformedRequest(501, "unsupported transfer encoding");
      }
      return new Framing.Chunked();
    }
    if (lengths.isEmpty()) {
      return new Framing.Length(0);
    }
    String length = lengths.getFirst();
    if (lengths.stream().anyMatch(other -> !other.equals(length)) || !length.matches("[0-9]{1,18}")) {
      throw new MalformedRequest(400, "bad Content-Length");
    }
    return new Framing.Length(Long.parseLong(length));
  }

  /** The head to send on in this one's place: the connection ends after the request, unless it is to be upgraded. */
  byte[] relayed(Optional<Long> newLength, String newTarget) {
    StringBuilder text = new StringBuilder(256);
    text.append(method).append(' ').append(newTarget).append(http10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
    for (Header header : headers) {
      boolean replaced =
          switch (header.name().toLowerCase(Locale.ROOT)) {
            case "connection", "keep-alive", "proxy-connection" -> true;
            case "content-length", "transfer-encoding", "expect" -> newLength.isPresent();
            default -> false;
          };
      if (!replaced) {
        text.append(header.name()).append(": ").append(header.value()).append("\r\n");
      }
    }
    newLength.ifPresent(length -> text.append("Content-Length: ").append(length).append("\r\n"));
    text.append("Connection: ").append(upgrade() ? "Upgrade" : "close").append("\r\n\r\n");
    return text.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  private List<String> valuesOf(String name) {
    return headers.stream().filter(header -> header.name().equalsIgnoreCase(name)).map(Header::value).toList();
  }

  private static String originForm(String target) throws MalformedRequest {
    if (target.startsWith("/")) {
      return target;
    }
    if (target.regionMatches(true, 0, "http://", 0, 7)) {
      int slash = target.indexOf('/', 7);
      return slash < 0 ? "/" : target.substring(slash);
    }
    throw new MalformedRequest(400, "malformed request target");
  }

  private static boolean isToken(String text) {
    return !text.isEmpty()
        && text.chars().allMatch(c -> c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || TOKEN_EXTRAS.indexOf(c) >= 0);
  }

  private static boolean hasControls(String line) {
    return line.chars().anyMatch(c -> c < ' ' && c != '\t' || c == 0x7f);
  }
}
