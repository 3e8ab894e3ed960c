package dev.skep.controlapi.core;

import java.util.List;
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
  private static final Pattern LABEL = Pattern.compile("index \\.(Service|Node|Task)\\.Labels \"[^\"]*\"");
  private static final Set<String> KNOWN =
      Set.of(
          ".Service.ID", ".Service.Name", ".Service.Labels", ".Node.ID", ".Node.Hostname", ".Node.Platform", ".Node.Platform.Architecture",
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
    String action = inside.strip();
    if (KNOWN.contains(action) || LABEL_FIELD.matcher(action).matches() || LABEL.matcher(action).matches()) {
      return Optional.empty();
    }
    Matcher field = FIELD.matcher(action);
    if (!field.matches()) {
      return Optional.of(
          ApiError.notBuilt("the template expression {{" + inside + "}}", "use a plain field such as {{.Service.Name}}, {{.Task.Slot}} or {{.Node.Hostname}}"));
    }
    // Go puts the column at the second name of a chain, or at the only one.
    int second = action.indexOf('.', 1);
    int offset = from + inside.indexOf(action) + Math.max(second, 0);
    int column = offset - text.lastIndexOf('\n', offset) - 1;
    return Optional.of(
        ApiError.invalidArgument(
            context + "template: expansion:" + line(text, offset) + ":" + column + ": executing \"expansion\" at <" + action + ">: " + reason(action)));
  }

  /** The first name that its parent does not have. */
  private static String reason(String chain) {
    List<String> names = List.of(chain.substring(1).split("\\."));
    String type = "*template.Context";
    for (String name : names) {
      String next = child(type, name);
      if (next.isEmpty()) {
        return "can't evaluate field " + name + " in type " + type;
      }
      type = next;
    }
    return "can't evaluate field " + names.getLast() + " in type " + type;
  }

  private static String child(String type, String name) {
    return switch (type + " " + name) {
      case "*template.Context Service" -> "struct { ID string; Name string; Labels map[string]string }";
      case "*template.Context Node" -> "struct { ID string; Hostname string; Platform template.Platform }";
      case "*template.Context Task" -> "struct { ID string; Name string; Slot string }";
      case "struct { ID string; Hostname string; Platform template.Platform } Platform" -> "template.Platform";
      default -> KNOWN.stream().anyMatch(known -> known.endsWith("." + name) && !type.startsWith("*") && !type.equals("string")) ? "string" : "";
    };
  }

  private static int line(String text, int offset) {
    return 1 + (int) text.substring(0, offset).chars().filter(c -> c == '\n').count();
  }
}
