package dev.skep.skepd.sim;

import dev.skep.testkit.sim.Violation;
import java.util.Collection;

/** An agent takes away more than half of what runs only when two streams of assignments have said so. */
final class SecondLook {
  private int stream;
  private int firstSaidOn;

  /** Another stream of assignments begins. */
  void opened() {
    stream++;
  }

  /** A set came that the agent does not act on yet. */
  void doubted() {
    firstSaidOn = firstSaidOn == 0 ? stream : firstSaidOn;
  }

  /** A set that lacks {@code removed} of the running tasks is acted on. */
  void taken(Collection<String> removed, int running) {
    if (removed.size() * 2 > running && (firstSaidOn == 0 || firstSaidOn == stream)) {
      throw new Violation("an agent drops " + removed.size() + " of " + running + " running tasks without a second look: " + removed);
    }
    firstSaidOn = 0;
  }
}
