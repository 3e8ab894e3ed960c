package dev.skep.controlapi.core;

import java.util.ArrayList;
import java.util.List;

/** Paths with holes: {@code {x}} is one segment, {@code {x...}} one or more, because image names have slashes. */
final class PathPattern {
  private PathPattern() {}

  /** What stands in the holes; null when the path is another. */
  static List<String> match(String pattern, List<String> segments) {
    String[] wanted = pattern.substring(1).split("/");
    List<String> parts = new ArrayList<>();
    int greedy = -1;
    for (int i = 0; i < wanted.length; i++) {
      greedy = wanted[i].endsWith("...}") ? i : greedy;
    }
    if (greedy < 0 ? segments.size() != wanted.length : segments.size() < wanted.length) {
      return null;
    }
    int surplus = segments.size() - wanted.length;
    for (int i = 0; i < wanted.length; i++) {
      int at = greedy >= 0 && i > greedy ? i + surplus : i;
      if (i == greedy) {
        parts.add(String.join("/", segments.subList(i, i + surplus + 1)));
      } else if (wanted[i].startsWith("{")) {
        parts.add(segments.get(at));
      } else if (!wanted[i].equals(segments.get(at))) {
        return null;
      }
    }
    return parts;
  }
}
