package dev.skep.controlapi.shell;

import dev.skep.runtime.View;
import dev.skep.state.ClusterState;
import dev.skep.state.NodeRecord;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.view.TaskStates;
import io.prometheus.client.Collector;
import io.prometheus.client.GaugeMetricFamily;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The cluster in numbers, as this process sees it: counted when somebody asks, and not before. */
final class ClusterMetrics extends Collector {
  private final View view;

  ClusterMetrics(View view) {
    this.view = view;
  }

  @Override
  public List<MetricFamilySamples> collect() {
    ClusterState state = view.state();
    int services = 0;
    for (Row<ServiceRow> _ : state.rows(Rows.SERVICE)) {
      services++;
    }
    return List.of(
        new GaugeMetricFamily("skep_cluster_services", "Services.", services),
        tasks("skep_cluster_tasks", "Tasks that are wanted, by observed state.", state),
        nodes("skep_cluster_nodes", "Nodes by state.", state));
  }

  private static GaugeMetricFamily tasks(String name, String help, ClusterState state) {
    Map<TaskState, Integer> counts = new EnumMap<>(TaskState.class);
    TaskRecord.forEach(state, task -> {
      if (task.desired().getNumber() <= TaskState.TASK_RUNNING_VALUE) {
        counts.merge(task.observed(), 1, Integer::sum);
      }
    });
    GaugeMetricFamily family = new GaugeMetricFamily(name, help, List.of("state"));
    counts.forEach((observed, count) -> family.addMetric(List.of(TaskStates.text(observed)), count));
    return family;
  }

  private static GaugeMetricFamily nodes(String name, String help, ClusterState state) {
    Map<String, Integer> counts = new TreeMap<>();
    for (NodeRecord node : NodeRecord.all(state)) {
      String text = node.status().getState().isEmpty() ? "unknown" : node.status().getState();
      counts.merge(text, 1, Integer::sum);
    }
    GaugeMetricFamily family = new GaugeMetricFamily(name, help, List.of("state"));
    counts.forEach((reported, count) -> family.addMetric(List.of(reported), count));
    return family;
  }
}
