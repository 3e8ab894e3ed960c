package dev.skep.runtime.election;

import java.time.Duration;

/**
 * What this process believes of one holder, from the calls that it keeps open to it: no sockets, no clock. To believe too
 * early that a holder has ended is safe, as commits are a chain; to believe it late costs the time that the lease takes.
 */
final class Acquaintance {
  /** How long a holder whose call broke may take to answer the next one. */
  static final Duration ONCE_MORE = Duration.ofMillis(200);
  static final Duration PATIENCE = Duration.ofSeconds(2);
  static final Duration RETRY = Duration.ofMillis(500);

  private static final int PROOFS = 2; // of one that never answered: its address may be wrong

  private final String holder;
  private boolean known; // it has answered once
  private boolean met; // it answered, and the call has not ended since
  private boolean onceMore; // the call broke: the next one decides
  private boolean other; // another process answers where it was
  private boolean gone;
  private int proofs;

  Acquaintance(String holder) {
    this.holder = holder;
  }

  /** Whoever answers there said its id. Returns whether the call is worth keeping. */
  boolean told(String id) {
    onceMore = false;
    other = !id.equals(holder);
    met = !other;
    known |= met;
    if (met) {
      gone = false;
      proofs = 0;
    } else {
      proof();
    }
    return met;
  }

  /** The call ended, or was not answered in time. {@code refused}: nobody listens there. Returns when to call again. */
  Duration ended(boolean refused) {
    if (met) {
      met = false;
      onceMore = true;
      return Duration.ZERO;
    }
    // A process that ends takes its connections with it; its host may be unreachable afterwards, as a container's is.
    gone |= onceMore;
    if (refused) {
      proof();
    }
    onceMore = false;
    return RETRY;
  }

  private void proof() {
    proofs++;
    gone |= known || proofs >= PROOFS;
  }

  /** How long the call that begins now may remain unanswered. */
  Duration patience() {
    return onceMore ? ONCE_MORE : PATIENCE;
  }

  /** The process has ended, as far as one can tell. */
  boolean gone() {
    return gone;
  }

  /** Nothing more can be learnt: ids are not given twice. */
  boolean over() {
    return other && gone;
  }
}
