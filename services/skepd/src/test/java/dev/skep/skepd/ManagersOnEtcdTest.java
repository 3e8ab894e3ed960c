package dev.skep.skepd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.runtime.identity.NodeRole;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.TaskState;
import dev.skep.testkit.etcd.EtcdServer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Managers on a real etcd: one founds the cluster there, one joins, and what one writes the other shows. */
@Tag("engine")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class ManagersOnEtcdTest {
  private static final String SERVICE = "{\"Name\":\"%s\",\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"busybox\"}},\"Mode\":{\"Replicated\":{\"Replicas\":4}}}";

  @TempDir Path folder;

  @Test
  void aSecondManagerComesAndTheFirstGoes() throws Exception {
    try (EtcdServer etcd = EtcdServer.start()) {
      Nodes nodes = new Nodes(folder, Optional.of("etcd://" + etcd.endpoint()));
      try {
        Nodes.Node first = nodes.firstManager();
        Nodes.Node second = nodes.host();
        assertThat(Nodes.joinListening(second, Nodes.listen(), Nodes.token(first, NodeRole.MANAGER), Nodes.door(first))).isEqualTo("200 ");
        second.awaitStarts(2);
        Nodes.awaitState(first, second.id(), "ready");
        List<Nodes.Node> both = List.of(first, second);
        for (int i = 0; i < 10; i++) {
          assertThat(both.get(i % 2).post("/services/create", SERVICE.formatted("s" + i))).startsWith("201");
          assertThat(both.get((i + 1) % 2).get("/services/s" + i)).startsWith("200");
        }
        first.host.await("all tasks run", state -> running(state) == 40);
        String gone = first.id();
        assertThat(first.post("/swarm/leave?force=1", "")).isEqualTo("200 ");
        Nodes.awaitState(second, gone, "down");
        second.host.await("the other one leads", state -> state.value(Rows.LEADER.key("orchestrator")) != null
            && state.value(Rows.LEADER.key("orchestrator")).getNodeId().equals(second.id()));
        second.host.await("all tasks run on the host that is left", state -> running(state) == 40);
        assertThat(second.get("/nodes")).containsOnlyOnce("\"Leader\":true").contains("\"Reachability\":\"unreachable\"");
      } finally {
        nodes.close();
      }
    }
  }

  private static int running(ClusterState state) {
    int[] running = {0};
    TaskRecord.forEach(state, task -> running[0] += task.observed() == TaskState.TASK_RUNNING && task.desired() == TaskState.TASK_RUNNING ? 1 : 0);
    return running[0];
  }
}
