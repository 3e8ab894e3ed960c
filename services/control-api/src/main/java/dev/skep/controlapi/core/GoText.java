package dev.skep.controlapi.core;

import java.math.BigDecimal;

/** Texts and numbers as Go's fmt and strconv print them inside error messages. */
final class GoText {
  private GoText() {}

  /** {@code %q}. */
  static String quoted(String text) {
    StringBuilder out = new StringBuilder("\"");
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case 0x07 -> out.append("\\a");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                case 0x0b -> out.append("\\v");
                default -> {
                  if (c < 0x20 || c == 0x7f) {
                    out.append(String.format("\\x%02x", c));
                  } else {
                    out.appendCodePoint(c);
                  }
                }
              }
            });
    return out.append('"').toString();
  }

  /** {@code %g} of a whole number of billionths: exponents below 1e-4, of two digits at least. */
  static String shortest(long nanos) {
    if (nanos == 0) {
      return "0";
    }
    BigDecimal value = BigDecimal.valueOf(nanos, 9).stripTrailingZeros();
    int exponent = value.precision() - value.scale() - 1;
    if (exponent >= -4 && exponent < 21) {
      return value.toPlainString();
    }
    String digits = value.unscaledValue().abs().toString();
    String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
    return (nanos < 0 ? "-" : "") + mantissa + String.format("e%c%02d", exponent < 0 ? '-' : '+', Math.abs(exponent));
  }
}
