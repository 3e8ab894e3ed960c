package dev.skep.runtime;

import java.util.Map;

/** A running decider. */
public interface ControlLoop extends AutoCloseable {
  String name();

  /** Objects that the decider could not decide about, with the reasons; shown to users. */
  Map<String, String> quarantined();

  /** Asks the decider again soon although the state did not change (an input outside of the state did). */
  void wake();

  @Override
  void close();
}
