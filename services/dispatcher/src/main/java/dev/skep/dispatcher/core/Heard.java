package dev.skep.dispatcher.core;

import java.time.Duration;
import java.time.Instant;

/**
 * The last sign of life of a node that registered with this dispatcher.
 *
 * @param inProcess the node's agent runs in this process: its silence cannot mean that the node is dead, because then nobody
 *     would judge
 * @param session it has a session, so that it beats; else it only knocked, and will again after its pause
 * @param measured the time since then was measured, and not read from the clock twice
 */
public record Heard(Instant at, boolean inProcess, boolean session, boolean measured) {
  /** A beat, or whatever else a node with a session says. */
  public Heard(Instant at, boolean inProcess) {
    this(at, inProcess, true, false);
  }

  public static Heard knocking(Instant at) {
    return new Heard(at, false, false, false);
  }

  /** Its session is over, and this dispatcher's to judge it is still: it lived when it was heard. */
  public Heard withoutSession() {
    return inProcess ? this : new Heard(at, false, false, measured);
  }

  /** Its host's dispatcher was heard last so long ago: the node's own agent had its session there. */
  public static Heard through(Duration silence, Instant now) {
    return new Heard(now.minus(silence), false, true, true);
  }
}
