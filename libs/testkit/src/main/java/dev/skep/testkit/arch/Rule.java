package dev.skep.testkit.arch;

import java.util.List;
import java.util.function.Function;

/**
 * One rule of the house.
 *
 * @param <T> what it looks at
 * @param name what must hold, in one line
 * @param why one sentence for the person whose change broke it
 * @param violations finds everything that breaks it; empty when it holds
 */
public record Rule<T>(String name, String why, Function<T, List<String>> violations) {
  /** Throws with the reason and the whole list when the rule is broken. */
  public void check(T subject) {
    List<String> found = violations.apply(subject);
    if (!found.isEmpty()) {
      throw new AssertionError(
          name + "\n  why: " + why + "\n  broken " + found.size() + " times:\n    " + String.join("\n    ", found));
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
