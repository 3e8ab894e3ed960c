package dev.skep.runtime.view;

import dev.skep.runtime.Metrics;
import io.prometheus.client.Counter;

/** From which source a view that follows the log lives. */
public final class ViewMetrics {
  private final Counter seconds = Counter.build("skep_view_source_seconds_total",
      "Time in which the view took its revisions from the log alone, or from the store beside it because the log was late.")
      .labelNames("source").create();
  private final Counter.Child log = seconds.labels("log");
  private final Counter.Child store = seconds.labels("store");

  public ViewMetrics(Metrics metrics) {
    metrics.registry().register(seconds);
  }

  void passed(long nanos, boolean beside) {
    (beside ? store : log).inc(nanos / 1e9);
  }
}
