package dev.skep.controlapi.codec;

import java.io.ByteArrayOutputStream;

/** Standard padded base64, refused with Go's sentence and byte offset. */
final class GoBase64 {
  private static final String ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

  private GoBase64() {}

  static byte[] decode(String text) throws JsonMismatch {
    ByteArrayOutputStream out = new ByteArrayOutputStream(text.length() * 3 / 4);
    int held = 0;
    int bits = 0;
    int i = 0;
    for (; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\r' || c == '\n') {
        continue;
      }
      int value = ALPHABET.indexOf(c);
      if (value < 0) {
        if (c == '=') {
          break;
        }
        throw corrupt(i);
      }
      held = held << 6 | value;
      bits += 6;
      if (bits == 24) {
        out.write(held >> 16);
        out.write(held >> 8);
        out.write(held);
        held = 0;
        bits = 0;
      }
    }
    padding(text, i, bits);
    if (bits >= 12) {
      out.write(bits == 12 ? held >> 4 : held >> 10);
    }
    if (bits == 18) {
      out.write(held >> 2);
    }
    return out.toByteArray();
  }

  private static void padding(String text, int at, int bits) throws JsonMismatch {
    String rest = text.substring(at).replace("\r", "").replace("\n", "");
    String wanted =
        switch (bits) {
          case 0 -> "";
          case 12 -> "==";
          case 18 -> "=";
          default -> throw corrupt(at == text.length() ? Math.max(0, at - 1) : at);
        };
    if (!rest.equals(wanted)) {
      throw corrupt(Math.min(at + (rest.startsWith(wanted) ? wanted.length() : rest.length()), text.length()));
    }
  }

  private static JsonMismatch corrupt(int offset) {
    return new JsonMismatch("illegal base64 data at input byte " + offset);
  }
}
