package dev.skep.dispatcher.core;

import java.time.Instant;

/**
 * The last sign of life of a node that registered with this dispatcher.
 *
 * @param inProcess the node's agent runs in this process: its silence cannot mean that the node is dead, because then nobody
 *     would judge
 * @param session it has a session, so that it beats; else it only knocked, and will again after its pause
 */
public record Heard(Instant at, boolean inProcess, boolean session) {
  /** A beat, or whatever else a node with a session says. */
  public Heard(Instant at, boolean inProcess) {
    this(at, inProcess, true);
  }

  public static Heard knocking(Instant at) {
    return new Heard(at, false, false);
  }
}
