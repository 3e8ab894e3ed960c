package dev.skep.load.placement;

import java.util.Map;
import java.util.TreeMap;

/** {@code name=value …} of a command line. */
record Options(Map<String, String> values) {
  static Options of(String[] args) {
    Map<String, String> values = new TreeMap<>();
    for (String arg : args) {
      String[] parts = arg.replaceFirst("^--", "").split("=", 2);
      values.put(parts[0], parts.length == 2 ? parts[1] : "true");
    }
    return new Options(values);
  }

  String text(String name, String otherwise) {
    return values.getOrDefault(name, otherwise);
  }

  int number(String name, int otherwise) {
    return Integer.parseInt(text(name, Integer.toString(otherwise)));
  }

  boolean flag(String name) {
    return values.getOrDefault(name, "false").equals("true");
  }
}
