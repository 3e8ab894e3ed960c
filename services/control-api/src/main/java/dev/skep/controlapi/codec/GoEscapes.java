package dev.skep.controlapi.codec;

import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.io.SerializedString;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;

/** Which characters Go's encoder escapes, and how: HTML's three, the two line separators, control characters in lower case. */
final class GoEscapes extends CharacterEscapes {
  private static final long serialVersionUID = 1;

  /** Go sorts map keys by their UTF-8 bytes, which is not the order of UTF-16 units. */
  static final Comparator<String> BY_BYTES =
      (a, b) -> Arrays.compareUnsigned(a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));

  private static final int[] ASCII = ascii();

  private static int[] ascii() {
    int[] escapes = CharacterEscapes.standardAsciiEscapesForJSON();
    for (int c = 0; c < 0x20; c++) {
      if (c != '\n' && c != '\r' && c != '\t') {
        escapes[c] = ESCAPE_CUSTOM;
      }
    }
    escapes['<'] = ESCAPE_CUSTOM;
    escapes['>'] = ESCAPE_CUSTOM;
    escapes['&'] = ESCAPE_CUSTOM;
    return escapes;
  }

  @Override
  public int[] getEscapeCodesForAscii() {
    return ASCII;
  }

  @Override
  public SerializableString getEscapeSequence(int c) {
    boolean escaped = c < 0x20 || c == '<' || c == '>' || c == '&' || c == 0x2028 || c == 0x2029;
    return escaped ? new SerializedString(String.format("\\u%04x", c)) : null;
  }
}
