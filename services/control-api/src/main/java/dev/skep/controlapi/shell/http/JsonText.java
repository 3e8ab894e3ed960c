package dev.skep.controlapi.shell.http;

/** JSON strings as Go prints them with HTML escaping off. */
public final class JsonText {
  private JsonText() {}

  public static String quoted(String text) {
    StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"', '\\' -> quoted.append('\\').append(c);
        case '\n' -> quoted.append("\\n");
        case '\r' -> quoted.append("\\r");
        case '\t' -> quoted.append("\\t");
        default -> {
          boolean lone = Character.isSurrogate(c) && !pairAt(text, i);
          if (c < ' ' || c == '\u2028' || c == '\u2029') {
            quoted.append(String.format("\\u%04x", (int) c));
          } else {
            quoted.append(lone ? '\ufffd' : c);
          }
        }
      }
    }
    return quoted.append('"').toString();
  }

  private static boolean pairAt(String text, int index) {
    char c = text.charAt(index);
    return Character.isHighSurrogate(c)
        ? index + 1 < text.length() && Character.isLowSurrogate(text.charAt(index + 1))
        : index > 0 && Character.isHighSurrogate(text.charAt(index - 1));
  }
}
