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
  /** From the first to the last of ever longer waits between calls. */
  static final Duration SOON = Duration.ofMillis(50);
  static final Duration RETRY = Duration.ofMillis(500);
  static final Duration SELDOM = Duration.ofSeconds(5);

  private final String holder;
  private boolean trusted; // what is met at its address counts
  private boolean met; // it answered, and the call has not ended since
  private boolean onceMore; // the call broke: the next one decides
  private boolean other; // another process answers where it was
  private boolean gone;
  private int failures; // since it was met

  /** @param mistaken it was believed gone before and was not: until it answers, its address counts as wrong */
  Acquaintance(String holder, boolean mistaken) {
    this.holder = holder;
    this.trusted = !mistaken;
  }

  /** Whoever answers there said its id. Returns whether the call is worth keeping. */
  boolean told(String id) {
    onceMore = false;
    met = id.equals(holder);
    other = !met;
    if (met) {
      trusted = true;
      gone = false;
      failures = 0;
    } else {
      gone |= trusted;
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
    gone |= onceMore || refused && trusted;
    onceMore = false;
    return again();
  }

  /** When to call again after one that led nowhere. */
  Duration again() {
    Duration most = trusted ? RETRY : SELDOM;
    Duration wait = SOON.multipliedBy(1L << Math.min(failures++, 10));
    return wait.compareTo(most) > 0 ? most : wait;
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
