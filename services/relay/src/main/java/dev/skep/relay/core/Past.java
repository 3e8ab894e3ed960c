package dev.skep.relay.core;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Which revision the store was at, how long ago: a sample every now and then is enough to compact by. Time in which nobody
 * looked did not pass: then the clock was set forward, or the process stood still and did not try to fill the log.
 */
final class Past {
  private record Sample(Instant time, long revision) {}

  private final Duration spacing;
  private final Duration longestBlink;
  private final int most;
  private final Deque<Sample> samples = new ArrayDeque<>();
  private Instant looked; // last

  /**
   * Reaches back for {@code length}.
   *
   * @param longestBlink for how long nobody may look in time that counts
   */
  Past(Duration length, Duration spacing, Duration longestBlink) {
    this.spacing = spacing;
    this.longestBlink = longestBlink;
    this.most = (int) Math.min(10_000, length.dividedBy(spacing) + 2);
  }

  void sample(Instant now, long revision) {
    if (looked != null && now.isAfter(looked.plus(longestBlink))) {
      Duration unseen = Duration.between(looked, now);
      List<Sample> moved = samples.stream().map(sample -> new Sample(sample.time.plus(unseen), sample.revision)).toList();
      samples.clear();
      samples.addAll(moved);
    }
    looked = now;
    if (revision == 0) {
      return; // not known yet
    }
    Sample last = samples.peekLast();
    if (last != null && (last.revision == revision || now.isBefore(last.time.plus(spacing)))) {
      if (!now.isBefore(last.time)) {
        return;
      }
      samples.clear(); // the clock was set back: what was measured with it says nothing any more
    }
    samples.addLast(new Sample(now, revision));
    if (samples.size() > most) {
      samples.removeFirst();
    }
  }

  /** The revision of the newest sample that is at least this old. */
  Optional<Long> before(Instant time) {
    Optional<Long> found = Optional.empty();
    for (Sample sample : samples) {
      if (sample.time.isAfter(time)) {
        break;
      }
      found = Optional.of(sample.revision);
    }
    return found;
  }
}
