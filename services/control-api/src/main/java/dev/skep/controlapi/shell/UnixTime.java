package dev.skep.controlapi.shell;

import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;

/** Times in queries: seconds since 1970, with a fraction or without; Docker takes RFC 3339 too. */
final class UnixTime {
  private UnixTime() {}

  /** Empty when there is none, or what there is is not a time. */
  static Optional<Instant> parse(String text) {
    try {
      if (text.matches("-?[0-9]{1,12}(\\.[0-9]{1,9})?")) {
        BigDecimal seconds = new BigDecimal(text);
        long whole = seconds.toBigInteger().longValueExact();
        return Optional.of(Instant.ofEpochSecond(whole, seconds.subtract(BigDecimal.valueOf(whole)).movePointRight(9).longValue()));
      }
      return text.isEmpty() ? Optional.empty() : Optional.of(Instant.parse(text));
    } catch (DateTimeException | ArithmeticException _) { // what a user wrote
      return Optional.empty();
    }
  }
}
