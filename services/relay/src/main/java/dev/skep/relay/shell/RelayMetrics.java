package dev.skep.relay.shell;

import dev.skep.relay.core.RelayCore;
import dev.skep.runtime.Metrics;
import io.prometheus.client.Counter;
import io.prometheus.client.Gauge;
import io.prometheus.client.Histogram;
import java.time.Instant;

/** What the relay tells about itself; README.md explains. */
final class RelayMetrics {
  private final Gauge leading = Gauge.build("skep_relay_leading", "1 while this process fills the log.").create();
  private final Gauge revision = Gauge.build("skep_relay_revision", "The last revision that is in the log.").create();
  private final Gauge lagRevisions = Gauge.build("skep_relay_lag_revisions", "Revisions of the store that the log does not have yet.").create();
  private final Gauge lagSeconds = Gauge.build("skep_relay_lag_seconds", "How long the oldest of them waits.").create();
  private final Gauge compacted = Gauge.build("skep_relay_compacted_revision", "What the store keeps begins here.").create();
  private final Counter records = Counter.build("skep_relay_records_total", "Revisions appended.").create();
  private final Counter snapshots = Counter.build("skep_relay_snapshots_total", "Snapshots appended.").create();
  private final Counter resets = Counter.build("skep_relay_resets_total", "Times the log began anew.").labelNames("reason").create();
  private final Counter failures = Counter.build("skep_relay_failures_total", "Failures, by what failed.").labelNames("what").create();
  private final Histogram append = Histogram.build("skep_relay_append_seconds", "Time of one transaction of the log.")
      .buckets(0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5).create();

  RelayMetrics(Metrics metrics) {
    metrics.registry().register(leading);
    metrics.registry().register(revision);
    metrics.registry().register(lagRevisions);
    metrics.registry().register(lagSeconds);
    metrics.registry().register(compacted);
    metrics.registry().register(records);
    metrics.registry().register(snapshots);
    metrics.registry().register(resets);
    metrics.registry().register(failures);
    metrics.registry().register(append);
  }

  void stepped(RelayCore core, Instant now) {
    leading.set(core.leading() ? 1 : 0);
    revision.set(core.relayed());
    lagRevisions.set(core.lagRevisions());
    lagSeconds.set(core.lag(now).toNanos() / 1e9);
    compacted.set(core.compactedTo());
  }

  void appended(int count, long nanos) {
    records.inc(count);
    append.observe(nanos / 1e9);
  }

  void snapshot() {
    snapshots.inc();
  }

  void reset(String reason) {
    resets.labels(reason.toLowerCase(java.util.Locale.ROOT)).inc();
  }

  void failed(String what) {
    failures.labels(what).inc();
  }
}
