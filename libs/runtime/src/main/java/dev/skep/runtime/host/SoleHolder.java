package dev.skep.runtime.host;

import dev.skep.runtime.ControlLoop;
import java.util.Map;
import java.util.OptionalLong;

/** Leads without a row, where no other process can open the store. */
record SoleHolder(String name) implements ControlLoop {
  @Override
  public Map<String, String> quarantined() {
    return Map.of();
  }

  @Override
  public void wake() {}

  @Override
  public OptionalLong won() {
    return OptionalLong.of(0); // the row is not there, and nobody writes it
  }

  @Override
  public void close() {}
}
