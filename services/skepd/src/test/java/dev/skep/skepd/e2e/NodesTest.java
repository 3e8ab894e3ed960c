package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Where tasks go: availability, labels, constraints, preferences, limits. */
class NodesTest extends ThreeNodes {
  @Test
  void nodeLsShowsEveryHost() {
    List<String> rows = lab.docker("node", "ls", "--format", "{{.Self}} {{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}}").succeeds().lines();
    assertThat(rows).containsExactlyInAnyOrder("true node1 Ready Active Leader", "false node2 Ready Active ", "false node3 Ready Active ");
    assertThat(lab.docker("info", "--format", "{{.Swarm.Nodes}} {{.Swarm.Managers}}").text()).isEqualTo("3 1");
    assertThat(lab.dockerOn(2, "info", "--format", "{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}} {{.Swarm.NodeAddr}}").text())
        .isEqualTo("active false " + lab.address(2));
    assertThat(lab.dockerOn(2, "node", "ls").fails().output()).contains("This node is not a swarm manager.");
    assertThat(lab.docker("node", "inspect", "node3", "--format", "{{.Status.Addr}} {{.Spec.Role}} {{.Description.Engine.Labels.host}}").text())
        .isEqualTo(lab.address(3) + " worker node3");
  }

  @Test
  void drainMovesTasksPauseKeepsThemActiveTakesNewOnes() {
    sleepers("s", "--replicas", "3");
    lab.runsOn("s", "node1", "node2", "node3");
    lab.docker("node", "update", "--availability", "pause", "node2").succeeds();
    lab.docker("node", "update", "--availability", "drain", "node3").succeeds();
    lab.runsOn("s", "node1", "node1", "node2");
    assertThat(lab.state(2)).isEqualTo("Ready Pause");
    assertThat(lab.state(3)).isEqualTo("Ready Drain");
    lab.docker("service", "scale", "--detach", "s=4").succeeds();
    lab.runsOn("s", "node1", "node1", "node1", "node2");
    Machine.eventually("node3 is empty", () -> lab.containers(3, "s"), List::isEmpty);
    lab.docker("node", "update", "--availability", "active", "node3").succeeds();
    lab.docker("service", "scale", "--detach", "s=6").succeeds();
    lab.runsOn("s", "node1", "node1", "node1", "node2", "node3", "node3");
    Invariants.hold(lab);
  }

  @Test
  void constraintsOfEveryKind() {
    lab.docker("node", "update", "--label-add", "zone=north", "node2").succeeds();
    String id = lab.docker("node", "inspect", "node3", "--format", "{{.ID}}").text();
    String[][] cases = {
        {"role", "node.role==manager", "node1"},
        {"hostname", "node.hostname==node2", "node2"},
        {"id", "node.id==" + id, "node3"},
        {"ip", "node.ip==" + lab.address(3), "node3"},
        {"label", "node.labels.zone==north", "node2"},
        {"engine", "engine.labels.host==node3", "node3"}};
    for (String[] one : cases) {
      sleepers(one[0], "--replicas", "2", "--constraint", one[1], "--constraint", "node.platform.os==linux");
    }
    for (String[] one : cases) {
      lab.runsOn(one[0], one[2], one[2]);
    }
    sleepers("nowhere", "--constraint", "node.hostname==nobody");
    showsUp("nowhere", "no suitable node (scheduling constraints not satisfied on 3 nodes)");
    Machine.eventually("node ps shows them", () -> lab.docker("node", "ps", "node3", "--format", "{{.Name}} {{.CurrentState}}").output(),
        seen -> seen.contains("engine.1 Running") && seen.contains("id.2 Running") && !seen.contains("hostname"));
  }

  @Test
  void aLostLabelMovesItsTasks() {
    lab.docker("node", "update", "--label-add", "disk=fast", "node2").succeeds();
    sleepers("db", "--constraint", "node.labels.disk==fast");
    lab.runsOn("db", "node2");
    lab.docker("node", "update", "--label-rm", "disk", "--label-add", "x=y", "node2").succeeds();
    lab.docker("node", "update", "--label-add", "disk=fast", "node3").succeeds();
    lab.runsOn("db", "node3");
  }

  @Test
  void preferencesSpreadOverLabels() {
    lab.docker("node", "update", "--label-add", "rack=a", "node1").succeeds();
    lab.docker("node", "update", "--label-add", "rack=a", "node2").succeeds();
    lab.docker("node", "update", "--label-add", "rack=b", "node3").succeeds();
    sleepers("s", "--replicas", "4", "--placement-pref", "spread=node.labels.rack");
    lab.runsOn("s", "node1", "node2", "node3", "node3");
  }

  @Test
  void limitsAndReservationsSayWhyNothingFits() {
    sleepers("few", "--replicas", "4", "--replicas-max-per-node", "1");
    lab.runsOn("few", "node1", "node2", "node3");
    showsUp("few", "max replicas per node limit exceed");
    sleepers("big", "--reserve-memory", "900g");
    showsUp("big", "insufficient resources on 3 nodes");
    sleepers("port", "--replicas", "4", "--publish", "mode=host,published=8300,target=80");
    lab.runsOn("port", "node1", "node2", "node3");
    showsUp("port", "host-mode port already in use on 3 nodes");
    lab.docker("service", "scale", "--detach", "few=3", "port=3").succeeds();
    lab.docker("service", "rm", "big").succeeds();
    Invariants.hold(lab);
  }

  @Test
  void globalServicesFollowTheNodes() {
    sleepers("g", "--mode", "global");
    sleepers("some", "--mode", "global", "--constraint", "node.labels.wanted==yes");
    lab.runsOn("g", "node1", "node2", "node3");
    lab.docker("node", "update", "--label-add", "wanted=yes", "node2").succeeds();
    lab.runsOn("some", "node2");
    lab.docker("node", "update", "--availability", "drain", "node2").succeeds();
    lab.runsOn("g", "node1", "node3");
    Machine.eventually("node2 is empty", () -> lab.containers(2, "g"), List::isEmpty);
    lab.docker("node", "update", "--availability", "active", "node2").succeeds();
    lab.runsOn("g", "node1", "node2", "node3");
    lab.runsOn("some", "node2");
    lab.docker("node", "update", "--label-rm", "wanted", "node2").succeeds();
    Machine.eventually("the label is gone, and the task", () -> lab.containers(2, "some"), List::isEmpty);
  }
}
