package dev.skep.dispatcher.core;

import java.util.Map;
import java.util.function.Consumer;

/** What turns one keyed set into another. */
final class MapDifference {
  private MapDifference() {}

  static <V> void of(Map<String, V> old, Map<String, V> now, Consumer<V> put, Consumer<String> remove) {
    for (String key : old.keySet()) {
      if (!now.containsKey(key)) {
        remove.accept(key);
      }
    }
    now.forEach(
        (key, value) -> {
          V before = old.get(key);
          if (before != value && !value.equals(before)) {
            put.accept(value);
          }
        });
  }

  /** Keys whose values differ. */
  static <V> void keys(Map<String, V> old, Map<String, V> now, Consumer<String> changed) {
    old.forEach((key, value) -> {
      if (!value.equals(now.get(key))) {
        changed.accept(key);
      }
    });
    now.keySet().stream().filter(key -> !old.containsKey(key)).forEach(changed);
  }
}
