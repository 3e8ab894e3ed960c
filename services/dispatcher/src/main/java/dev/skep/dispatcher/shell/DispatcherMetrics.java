package dev.skep.dispatcher.shell;

import dev.skep.runtime.Metrics;
import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Counter;
import io.prometheus.client.Gauge;
import io.prometheus.client.Histogram;

/** What the dispatcher measures. */
record DispatcherMetrics(
    Gauge sessions,
    Counter registrationsRefused,
    Counter assignmentsSent,
    Counter statusUpdates,
    Counter heartbeats,
    Gauge suspects,
    Gauge panic,
    Gauge withheld,
    Gauge unconfirmed,
    Histogram placementToSent,
    Histogram reportToStored) {

  static DispatcherMetrics of(Metrics metrics) {
    CollectorRegistry registry = metrics.registry();
    return new DispatcherMetrics(
        Gauge.build("skep_dispatcher_sessions", "Nodes with an open session.").register(registry),
        Counter.build("skep_dispatcher_registrations_refused_total", "Registrations refused because the node came too often.")
            .register(registry),
        Counter.build("skep_dispatcher_assignments_sent_total", "Task assignments sent to nodes.").register(registry),
        Counter.build("skep_dispatcher_status_updates_total", "Task states that nodes reported.").register(registry),
        Counter.build("skep_dispatcher_heartbeats_total", "Heartbeats received.").register(registry),
        Gauge.build("skep_dispatcher_suspect_nodes", "Nodes that are out of traffic because they are silent.").register(registry),
        Gauge.build("skep_dispatcher_panic", "1 while so many nodes are silent that none is withdrawn.").register(registry),
        Gauge.build("skep_dispatcher_withheld_tasks", "Tasks whose order to stop waits until traffic has left them.").register(registry),
        Gauge.build("skep_dispatcher_restore_unconfirmed", "1 while a restored cluster waits for its confirmation and nodes are told nothing.")
            .register(registry),
        Histogram.build("skep_dispatcher_placement_to_sent_seconds", "From the scheduler's decision to the assignment on its way.")
            .buckets(.001, .002, .005, .01, .02, .05, .1, .5, 1, 5)
            .register(registry),
        Histogram.build("skep_dispatcher_report_to_stored_seconds", "From a node's report of task states to its being durable.")
            .buckets(.001, .002, .005, .01, .02, .05, .1, .5, 1, 5)
            .register(registry));
  }

  /** Another dispatcher may start in this process. */
  void unregister(Metrics metrics) {
    CollectorRegistry registry = metrics.registry();
    registry.unregister(sessions);
    registry.unregister(registrationsRefused);
    registry.unregister(assignmentsSent);
    registry.unregister(statusUpdates);
    registry.unregister(heartbeats);
    registry.unregister(suspects);
    registry.unregister(panic);
    registry.unregister(withheld);
    registry.unregister(unconfirmed);
    registry.unregister(placementToSent);
    registry.unregister(reportToStored);
  }
}
