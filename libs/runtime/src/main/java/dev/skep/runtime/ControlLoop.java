package dev.skep.runtime;

import java.util.Map;
import java.util.OptionalLong;

/** A running decider. */
public interface ControlLoop extends AutoCloseable {
  String name();

  /** Objects that the decider could not decide about, with the reasons; shown to users. */
  Map<String, String> quarantined();

  /** Asks the decider again soon although the state did not change (an input outside of the state did). */
  void wake();

  /**
   * The revision of the row {@code leader/loop/<name>} while this process holds it: empty while another does, or while nobody
   * can tell. What is written with the comparison that the row is at this revision is not written after another took over.
   */
  OptionalLong won();

  /** Whether this process holds the loop, as far as it knows. */
  default boolean leading() {
    return won().isPresent();
  }

  @Override
  void close();
}
