package dev.skep.relay;

import dev.skep.backend.Access;
import dev.skep.relay.core.Rules;
import dev.skep.runtime.config.Settings;
import java.time.Duration;

/**
 * How the relay runs.
 *
 * @param log the event log's URI, {@code kafka://h1:9092,h2}; for {@code embedded:} there is nothing to relay
 * @param access as whom, and whom to trust
 * @param keep how much of the past the store keeps at least, for views and watches that lag
 * @param hold how much it keeps at most while the log is away; then the log gets a hole, which replay prints
 * @param compactEvery how often the store is told to forget
 * @param snapshotEvery how often the log gets a snapshot that a replay can begin with; less than the topic's retention
 * @param batch records of one transaction of the log, at most
 * @param batchBytes the same in bytes; a larger record goes alone
 */
public record RelayConfig(
    String log, Access access, Duration keep, Duration hold, Duration compactEvery, Duration snapshotEvery, int batch, int batchBytes) {
  /** @param log the event log's URI */
  public static RelayConfig defaults(String log) {
    return of(log, Access.PLAIN, Rules.defaults());
  }

  private static RelayConfig of(String log, Access access, Rules rules) {
    return new RelayConfig(log, access, rules.keep(), rules.hold(), rules.compactEvery(), rules.snapshotEvery(), rules.batch(), rules.batchBytes());
  }

  /** Reads the keys {@code keep}, {@code hold}, …; what is not given has the default. */
  public static RelayConfig from(Settings settings, String log, Access access) {
    Rules otherwise = Rules.defaults();
    return new RelayConfig(
        log,
        access,
        settings.duration("keep", otherwise.keep()),
        settings.duration("hold", otherwise.hold()),
        settings.duration("compact-every", otherwise.compactEvery()),
        settings.duration("snapshot-every", otherwise.snapshotEvery()),
        (int) settings.number("batch", otherwise.batch()),
        (int) settings.number("batch-bytes", otherwise.batchBytes()));
  }

  public RelayConfig withHistory(Duration newKeep, Duration newHold, Duration newCompactEvery, Duration newSnapshotEvery) {
    return new RelayConfig(log, access, newKeep, newHold, newCompactEvery, newSnapshotEvery, batch, batchBytes);
  }

  Rules rules() {
    return new Rules(keep, hold, compactEvery, snapshotEvery, batch, batchBytes, Rules.LONGEST_TRY);
  }
}
