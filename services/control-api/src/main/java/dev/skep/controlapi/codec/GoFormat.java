package dev.skep.controlapi.codec;

import com.google.protobuf.Timestamp;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/** Floats and times as Go prints them. */
final class GoFormat {
  /** Go's zero time. */
  static final String ZERO_TIME = "0001-01-01T00:00:00Z";

  private static final DateTimeFormatter SECONDS = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss");

  private GoFormat() {}

  /** The shortest decimal that reads back as the same float; an exponent below 1e-6 and from 1e21 on. */
  static String ofFloat(float value) {
    if (Float.isNaN(value) || Float.isInfinite(value)) {
      throw new IllegalArgumentException("json: unsupported value: " + value);
    }
    if (value == 0) {
      return 1 / value < 0 ? "-0" : "0";
    }
    BigDecimal exact = new BigDecimal(Float.toString(value)).stripTrailingZeros();
    float magnitude = Math.abs(value);
    if (magnitude >= 1e-6f && magnitude < 1e21f) {
      return exact.toPlainString();
    }
    String digits = exact.unscaledValue().abs().toString();
    int exponent = exact.precision() - exact.scale() - 1;
    String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
    // Go pads exponents to two digits and its JSON encoder takes the zero of e-0N away again.
    String sign = exponent < 0 ? "e-" : "e+";
    return (value < 0 ? "-" : "") + mantissa + sign + Math.abs(exponent);
  }

  /** RFC 3339 in UTC; the fraction without its trailing zeros, and without its dot when nothing is left. */
  static String ofTime(Timestamp time) {
    StringBuilder text = new StringBuilder(30);
    text.append(SECONDS.format(LocalDateTime.ofEpochSecond(time.getSeconds(), 0, ZoneOffset.UTC)));
    if (time.getNanos() != 0) {
      String nanos = String.format("%09d", time.getNanos());
      int end = nanos.length();
      while (nanos.charAt(end - 1) == '0') {
        end--;
      }
      text.append('.').append(nanos, 0, end);
    }
    return text.append('Z').toString();
  }

  static Timestamp toTime(String text) throws JsonMismatch {
    try {
      Instant instant = OffsetDateTime.parse(text, DateTimeFormatter.ISO_OFFSET_DATE_TIME).toInstant();
      return Timestamp.newBuilder().setSeconds(instant.getEpochSecond()).setNanos(instant.getNano()).build();
    } catch (DateTimeException _) {
      throw badTime(text);
    }
  }

  private static JsonMismatch badTime(String text) {
    String layout = "2006-01-02T15:04:05Z07:00";
    return new JsonMismatch(
        "parsing time \"\\\"" + text + "\\\"\" as \"\\\"" + layout + "\\\"\": cannot parse \"" + text + "\" as \"2006\"");
  }
}
