package dev.skep.controlapi.shell;

import dev.skep.controlapi.core.Route;
import dev.skep.controlapi.shell.http.Reply;
import dev.skep.runtime.Metrics;
import io.prometheus.client.Counter;
import io.prometheus.client.Histogram;
import java.util.Locale;

/** Requests, how they ended, and how long a handler took. */
final class ApiMetrics {
  private static final double NANOS = 1e9;

  private final Counter requests;
  private final Counter failures;
  private final Histogram seconds;

  ApiMetrics(Metrics metrics) {
    requests =
        Counter.build("skep_control_api_requests_total", "Requests by route and status; status 0 is passed to the engine.")
            .labelNames("route", "status")
            .register(metrics.registry());
    failures = Counter.build("skep_control_api_failures_total", "Requests that failed for a reason of ours.").register(metrics.registry());
    seconds =
        Histogram.build("skep_control_api_request_seconds", "From a request's head to its answer, by route.")
            .labelNames("route")
            .buckets(0.001, 0.005, 0.02, 0.1, 0.5, 2, 10)
            .register(metrics.registry());
  }

  void answered(Route route, Reply reply, long nanos) {
    int status =
        switch (reply) {
          case Reply.Whole whole -> whole.status();
          case Reply.Streamed streamed -> streamed.status();
          case Reply.Passed _ -> 0;
        };
    requests.labels(route.name().toLowerCase(Locale.ROOT), Integer.toString(status)).inc();
    seconds.labels(route.name().toLowerCase(Locale.ROOT)).observe(nanos / NANOS);
  }

  void failed() {
    failures.inc();
  }
}
