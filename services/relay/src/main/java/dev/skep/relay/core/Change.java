package dev.skep.relay.core;

import java.util.Arrays;

/** One key as a revision left it; {@code value} is null when it was deleted. */
public record Change(String key, byte[] value, long created, long modified) {
  /** Equal in every part, bytes compared. */
  public boolean same(Change other) {
    return other != null && key.equals(other.key) && Arrays.equals(value, other.value) && created == other.created && modified == other.modified;
  }

  int size() {
    return key.length() + (value == null ? 0 : value.length);
  }
}
