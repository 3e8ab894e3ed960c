package dev.skep.agent.shell;

import dev.skep.state.v1.TaskState;
import io.prometheus.client.Collector;
import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Counter;
import io.prometheus.client.Gauge;
import io.prometheus.client.Histogram;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** What the agent measures. */
record AgentMetrics(
    Gauge tasks, Histogram engineCalls, Counter engineFailures, Counter pulls, Gauge feedRevision, Counter ruleChanges) {
  /** The last words of paths that say what is asked; any other is somebody's name and makes no label. */
  private static final Set<String> VERBS = Set.of("connect", "create", "events", "info", "json", "logs", "start", "stop", "version");

  static AgentMetrics of(CollectorRegistry registry) {
    return new AgentMetrics(
        Gauge.build("skep_agent_tasks", "Tasks of this node by the state that they have reached.").labelNames("state").register(registry),
        Histogram.build("skep_agent_engine_call_seconds", "Time until the engine answered.")
            .labelNames("call")
            .buckets(.001, .005, .02, .05, .1, .25, .5, 1, 2.5, 5, 10)
            .register(registry),
        Counter.build("skep_agent_engine_failures_total", "Calls that the engine refused (what it does not have is no refusal) or did not answer.")
            .labelNames("call", "reason")
            .register(registry),
        Counter.build("skep_agent_pulls_total", "Images asked for at a registry.").labelNames("result").register(registry),
        Gauge.build("skep_agent_feed_revision", "Revision of the feed that rules and edge of this node show.").register(registry),
        Counter.build("skep_agent_rule_changes_total", "Times that VIP and isolation rules were loaded.").register(registry));
  }

  /** Another agent may start in this process. */
  void unregister(CollectorRegistry registry) {
    List.<Collector>of(tasks, engineCalls, engineFailures, pulls, feedRevision, ruleChanges).forEach(registry::unregister);
  }

  void came(TaskState state) {
    tasks.labels(label(state)).inc();
  }

  void left(TaskState state) {
    tasks.labels(label(state)).dec();
  }

  private static String label(TaskState state) {
    return state.name().replaceFirst("^TASK_", "").toLowerCase(Locale.ROOT);
  }

  /** The same for every container, so that labels stay few. */
  static String call(String method, String path) {
    String[] parts = path.split("\\?", 2)[0].split("/");
    String last = parts[parts.length - 1];
    return method + " " + parts[1] + (parts.length > 2 && VERBS.contains(last) ? " " + last : "");
  }
}
