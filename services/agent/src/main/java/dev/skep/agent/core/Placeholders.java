package dev.skep.agent.core;

import dev.skep.dispatcher.v1.TaskAssignment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Fills in {@code {{.Task.Slot}}} and its like in host names, environment and mounts: the fields that swarm documents,
 * {@code index} into service labels, and string literals.
 */
public final class Placeholders {
  /** The text asks for something that does not exist: the task is rejected with the message. */
  public static final class Unknown extends RuntimeException {
    private static final long serialVersionUID = 1;

    Unknown(String message) {
      super(message);
    }
  }

  private static final Pattern ACTION = Pattern.compile("(\\s*)\\{\\{(-\\s)?(.*?)(\\s-)?\\}\\}(\\s*)", Pattern.DOTALL);
  private static final Pattern TOKEN = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"|`([^`]*)`|([^\\s\"`()]+)|([()])");

  private final Map<String, String> fields;
  private final Map<String, String> serviceLabels;

  public Placeholders(TaskAssignment task, String hostname, String architecture, String os) {
    String slot = task.getGlobal() ? task.getNodeId() : Long.toString(task.getSlot());
    this.fields =
        Map.ofEntries(
            Map.entry(".Service.ID", task.getServiceId()),
            Map.entry(".Service.Name", task.getServiceName()),
            Map.entry(".Node.ID", task.getNodeId()),
            Map.entry(".Node.Hostname", hostname),
            Map.entry(".Node.Platform.Architecture", architecture),
            Map.entry(".Node.Platform.OS", os),
            Map.entry(".Task.ID", task.getId()),
            Map.entry(".Task.Name", Ownership.containerName(task)),
            Map.entry(".Task.Slot", slot));
    this.serviceLabels = task.getServiceLabelsMap();
  }

  public String expand(String text) {
    if (!text.contains("{{")) {
      return text;
    }
    StringBuilder out = new StringBuilder();
    Matcher action = ACTION.matcher(text);
    int done = 0;
    while (action.find(done)) {
      out.append(text, done, action.start());
      out.append(action.group(2) == null ? action.group(1) : "");
      out.append(value(action.group(3).strip(), text));
      out.append(action.group(4) == null ? action.group(5) : "");
      done = action.end();
    }
    String rest = text.substring(done);
    if (rest.contains("{{")) {
      throw new Unknown("expanding template: unclosed action in " + quoted(text));
    }
    return out.append(rest).toString();
  }

  private String value(String expression, String whole) {
    List<String> words = new ArrayList<>();
    boolean literalFirst = false;
    Matcher token = TOKEN.matcher(expression);
    int end = 0;
    while (token.find()) {
      if (!expression.substring(end, token.start()).isBlank()) {
        throw new Unknown("expanding template: cannot read " + quoted(expression));
      }
      boolean literal = token.group(1) != null || token.group(2) != null;
      literalFirst |= literal && words.isEmpty();
      words.add(token.group(1) != null ? token.group(1).replace("\\\"", "\"") : token.group(2) != null ? token.group(2) : token.group());
      end = token.end();
    }
    if (words.size() == 1 && literalFirst) {
      return words.getFirst();
    }
    if (words.size() == 1 && fields.containsKey(words.getFirst())) {
      return fields.get(words.getFirst());
    }
    if (words.size() == 1 && words.getFirst().startsWith(".Service.Labels.")) {
      return serviceLabels.getOrDefault(words.getFirst().substring(".Service.Labels.".length()), "<no value>");
    }
    if (words.size() == 3 && words.get(0).equals("index") && words.get(1).equals(".Service.Labels")) {
      return serviceLabels.getOrDefault(words.get(2), "");
    }
    throw new Unknown("expanding template: no value for " + quoted(expression) + " in " + quoted(whole));
  }

  private static String quoted(String text) {
    return "\"" + text + "\"";
  }
}
