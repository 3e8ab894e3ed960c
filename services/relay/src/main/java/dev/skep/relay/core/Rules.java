package dev.skep.relay.core;

import java.time.Duration;

/**
 * What the relay goes by.
 *
 * @param keep how much of the past the store keeps at least
 * @param hold how much it keeps at most when the log does not come along: then the log gets a hole
 * @param compactEvery how often the store is told to forget
 * @param snapshotEvery how often the log gets a snapshot that a replay can begin with
 * @param batch records of one transaction of the log, at most
 * @param batchBytes the same in bytes; a larger record goes alone
 * @param longestTry how long the log may be tried at a stretch: a longer silence of the relay is one of the relay's own, in
 *     which the store forgets nothing
 */
public record Rules(
    Duration keep, Duration hold, Duration compactEvery, Duration snapshotEvery, int batch, int batchBytes, Duration longestTry) {
  /** A claim makes several calls of brokers, each with 10 s. */
  public static final Duration LONGEST_TRY = Duration.ofMinutes(1);

  public static Rules defaults() {
    return new Rules(Duration.ofMinutes(10), Duration.ofMinutes(30), Duration.ofMinutes(1), Duration.ofDays(1), 500, 4 << 20, LONGEST_TRY);
  }
}
