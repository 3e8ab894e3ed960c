package dev.skep.agent.core;

import java.time.Duration;
import java.time.Instant;

/**
 * A node's search for another dispatcher, while its own one has lost the store. Nobody may write down any more that the node
 * lives, and after a while the others take it for down. So it asks them, and goes when one of them has the store; when none
 * has it, nobody can write anything, and the node stays where it is.
 *
 * <p>It goes at the second word, a while after the first, and only if its own dispatcher has still not got the store back: when
 * a store that was away altogether comes back, one dispatcher finds it before the other.
 *
 * @param due when to ask the others; null while there is no reason to
 * @param pause between this round and the next
 * @param since when somebody was first heard to have the store; null: nobody
 * @param heard somebody has said so in the present round
 */
public record Search(Instant due, Duration pause, Instant since, boolean heard) {
  private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);
  /** Between two words; what has not come back by then is believed to be away for longer. */
  private static final Duration SURE = Duration.ofSeconds(1);

  public static final Search NONE = new Search(null, FIRST_PAUSE, null, false);

  /** The own dispatcher has no store, as it has just said. */
  public Search lost(Instant now) {
    return due == null ? new Search(now, FIRST_PAUSE, null, false) : this;
  }

  public boolean asks(Instant now) {
    // A clock that was set back must not make it wait.
    return due != null && (!now.isBefore(due) || due.isAfter(now.plus(LONGEST_PAUSE)));
  }

  /** A round of questions goes out. */
  public Search asked(Instant now) {
    Instant first = heard && !since.isAfter(now) ? since : null; // whoever said so last time may not have it any more
    Duration doubled = pause.multipliedBy(2);
    return new Search(now.plus(pause), doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled, first, false);
  }

  /** Somebody has the store. */
  public Search found(Instant now) {
    if (due == null) {
      return this;
    }
    return since == null ? new Search(now.plus(SURE), FIRST_PAUSE, now, true) : new Search(due, pause, since, true);
  }

  /** Whether whoever has just said that it has the store is to be gone to. */
  public boolean sure(Instant now) {
    return heard && since != null && !since.plus(SURE).isAfter(now);
  }
}
