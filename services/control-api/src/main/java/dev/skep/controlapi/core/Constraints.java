package dev.skep.controlapi.core;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The syntax of placement constraints. An unknown key is accepted and never matches. Swarm's manager passes these
 * refusals on without a code, which is why they answer 500.
 */
final class Constraints {
  private static final Pattern KEY = Pattern.compile("(?i)[a-z_][a-z0-9\\-_.]+");
  private static final Pattern VALUE = Pattern.compile("(?i)[a-z0-9:\\-_\\s.*()?+\\[\\]\\\\^$|/]+");

  private Constraints() {}

  static Optional<ApiError> check(List<String> constraints) {
    for (String constraint : constraints) {
      String operator = constraint.contains("==") ? "==" : "!=";
      int at = constraint.indexOf(operator);
      if (at < 0) {
        return refuse("constraint expected one operator from ==, !=");
      }
      String key = constraint.substring(0, at).trim();
      if (!KEY.matcher(key).matches()) {
        return refuse("key '" + key + "' is invalid");
      }
      String value = constraint.substring(at + 2).trim();
      if (!VALUE.matcher(value).matches()) {
        return refuse("value '" + value + "' is invalid");
      }
    }
    return Optional.empty();
  }

  private static Optional<ApiError> refuse(String text) {
    return Optional.of(ApiError.rpc(ApiError.Code.UNKNOWN, text));
  }
}
