package dev.skep.state;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * One placement constraint, such as {@code node.labels.zone == east}. Values are compared whole and without regard to
 * case; there is no "or" and there are no patterns.
 */
public record Constraint(String key, boolean equal, String value) {
  private static final Pattern KEY = Pattern.compile("(?i)^[a-z_][a-z0-9\\-_.]+$");
  private static final Pattern VALUE = Pattern.compile("(?i)^[a-z0-9:\\-_\\s\\.\\*\\(\\)\\?\\+\\[\\]\\\\\\^\\$\\|\\/]+$");
  private static final Pattern IPV6 = Pattern.compile("(?i)[0-9a-f:]*:[0-9a-f:.]*");
  private static final String NODE_LABELS = "node.labels.";
  private static final String ENGINE_LABELS = "engine.labels.";

  /** A constraint that cannot be read; the message is Docker's own, for the user. */
  public static final class Malformed extends Exception {
    private static final long serialVersionUID = 1L;

    Malformed(String message) {
      super(message);
    }
  }

  public static List<Constraint> parse(List<String> expressions) throws Malformed {
    List<Constraint> constraints = new ArrayList<>();
    for (String expression : expressions) {
      constraints.add(parse(expression));
    }
    return List.copyOf(constraints);
  }

  public static Constraint parse(String expression) throws Malformed {
    for (String operator : List.of("==", "!=")) {
      int at = expression.indexOf(operator);
      if (at < 0) {
        continue;
      }
      String key = expression.substring(0, at).strip();
      if (!KEY.matcher(key).matches()) {
        throw new Malformed("key '" + key + "' is invalid");
      }
      String value = expression.substring(at + operator.length()).strip();
      if (!VALUE.matcher(value).matches()) {
        throw new Malformed("value '" + value + "' is invalid");
      }
      return new Constraint(key, operator.equals("=="), value);
    }
    throw new Malformed("constraint expected one operator from ==, !=");
  }

  /** Whether the node satisfies all of them. Those that cannot be read were refused by the API and are never met. */
  public static boolean allMatch(List<String> expressions, NodeRecord node) {
    try {
      for (String expression : expressions) {
        if (!parse(expression).matches(node)) {
          return false;
        }
      }
      return true;
    } catch (Malformed e) {
      return false;
    }
  }

  public boolean matches(NodeRecord node) {
    var description = node.status().getDescription();
    if (startsWith(NODE_LABELS)) {
      return test(label(node.spec().getSpec().getLabelsMap(), NODE_LABELS));
    }
    if (startsWith(ENGINE_LABELS)) {
      return test(label(description.getEngine().getLabelsMap(), ENGINE_LABELS));
    }
    return switch (key.toLowerCase(Locale.ROOT)) {
      case "node.id" -> test(node.id());
      case "node.hostname" -> test(description.getHostname());
      case "node.ip" -> matchesAddress(node.status().getAddr());
      case "node.role" -> test(node.spec().getSpec().getRole());
      case "node.platform.os" -> test(description.getPlatform().getOs());
      case "node.platform.arch" -> test(description.getPlatform().getArchitecture());
      default -> false; // no such property: nothing satisfies it
    };
  }

  private boolean test(String actual) {
    return actual.equalsIgnoreCase(value) == equal;
  }

  private boolean startsWith(String prefix) {
    return key.length() > prefix.length() && key.regionMatches(true, 0, prefix, 0, prefix.length());
  }

  private String label(Map<String, String> labels, String prefix) {
    return labels.getOrDefault(key.substring(prefix.length()), "");
  }

  /** A node without an address is in no subnet. What is neither an address nor a subnet is met by no node, whichever the operator. */
  private boolean matchesAddress(String address) {
    Optional<Subnet> wanted = subnet(value);
    if (wanted.isEmpty()) {
      return IPV6.matcher(value).matches() && test(address);
    }
    int colon = address.indexOf(':');
    String host = colon > 0 && colon == address.lastIndexOf(':') ? address.substring(0, colon) : address;
    boolean within = subnet(host).filter(own -> wanted.get().contains(own.base())).isPresent();
    return within == equal;
  }

  private static Optional<Subnet> subnet(String text) {
    try {
      return Optional.of(text.contains("/") ? Subnet.parse(text) : new Subnet(Subnet.addressOf(text), 32));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
