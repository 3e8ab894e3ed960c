package dev.skep.controlapi.core;

import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Placeholders in host names, environment and mounts: {@code {{.Task.Slot}}} and its like. Fields that do not exist are
 * refused in the words of Go's template package; the language around them (functions, conditions) is not built.
 */
final class TemplateSyntax {
  private static final Pattern FIELD = Pattern.compile("(?:\\.[A-Za-z_][A-Za-z0-9_]*)+");
  private static final Pattern LABEL = Pattern.compile("index\\s+\\.Service\\.Labels\\s+(\"[^\"\\\\]*\"|`[^`]*`)");
  private static final Pattern LITERAL = Pattern.compile("\"[^\"\\\\]*\"|`[^`]*`");
  private static final Pattern TRIM_MARKS = Pattern.compile("^-\\s|\\s-$");
  /** They exist, but have no text of their own. */
  private static final Set<String> PARTS = Set.of(".Service", ".Node", ".Task", ".Service.Labels", ".Node.Platform");
  private static final Set<String> KNOWN =
      Set.of(
          ".Service.ID", ".Service.Name", ".Node.ID", ".Node.Hostname", ".Node.Platform.Architecture",
          ".Node.Platform.OS", ".Task.ID", ".Task.Name", ".Task.Slot");
  private static final Pattern LABEL_FIELD = Pattern.compile("\\.Service\\.Labels\\.[A-Za-z_][A-Za-z0-9_]*");

  private TemplateSyntax() {}

  static Optional<ApiError> check(String text, String context) {
    int from = 0;
    while ((from = text.indexOf("{{", from)) >= 0) {
      int to = text.indexOf("}}", from);
      if (to < 0) {
        return Optional.of(ApiError.invalidArgument(context + "template: expansion:" + line(text, from) + ": unclosed action"));
      }
      Optional<ApiError> error = action(text, from + 2, to, context);
      if (error.isPresent()) {
        return error;
      }
      from = to + 2;
    }
    return Optional.empty();
  }

  private static Optional<ApiError> action(String text, int from, int to, String context) {
    String inside = text.substring(from, to);
    String action = TRIM_MARKS.matcher(inside).replaceAll("").strip();
    boolean label = LABEL_FIELD.matcher(action).matches() || LABEL.matcher(action).matches();
    if (KNOWN.contains(action) || label || LITERAL.matcher(action).matches()) {
      return Optional.empty();
    }
    Matcher field = FIELD.matcher(action);
    if (!field.matches() || PARTS.contains(action)) {
      return Optional.of(
          ApiError.notBuilt(
              "the template expression {{" + inside + "}}",
              "use a plain field such as {{.Service.Name}}, {{.Task.Slot}} or {{.Node.Hostname}}"));
    }
    // Go puts the column at the second name of a chain, or at the only one.
    int second = action.indexOf('.', 1);
    int offset = from + inside.indexOf(action) + Math.max(second, 0);
    int column = offset - text.lastIndexOf('\n', offset) - 1;
    return Optional.of(
        ApiError.invalidArgument(
            context + "template: expansion:" + line(text, offset) + ":" + column + ": executing \"expansion\" at <" + action + ">: "
                + reason(action)));
  }

  /** The first name that its parent does not have. */
  private static String reason(String chain) {
    String parent = "";
    for (String name : chain.substring(1).split("\\.")) {
      String path = parent + "." + name;
      if (!KNOWN.contains(path) && !PARTS.contains(path)) {
        return "can't evaluate field " + name + " in type " + goType(parent);
      }
      parent = path;
    }
    throw new IllegalArgumentException("nothing is wrong with " + chain);
  }

  private static String goType(String path) {
    return switch (path) {
      case "" -> "*template.Context";
      case ".Service" -> "struct { ID string; Name string; Labels map[string]string }";
      case ".Node" -> "struct { ID string; Hostname string; Platform template.Platform }";
      case ".Node.Platform" -> "template.Platform";
      case ".Task" -> "struct { ID string; Name string; Slot string }";
      default -> "string";
    };
  }

  private static int line(String text, int offset) {
    return 1 + (int) text.substring(0, offset).chars().filter(c -> c == '\n').count();
  }
}
