package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Three managers as a user has them: any of them serves, roles change, and the leader's host may go. */
@Tag("slow")
class ManagersLifeTest extends ManagersOnHosts {
  @Test
  void anyOfThreeServesAndTheLastOneStays() {
    allManage();
    assertThat(lab.docker("info", "--format", "{{.Swarm.Nodes}} {{.Swarm.Managers}}").text()).isEqualTo("4 3");
    assertThat(lab.dockerOn(WORKER, "node", "ls").fails().output()).contains("This node is not a swarm manager.");
    for (int manager : MANAGERS) {
      lab.asks(manager);
      create("--name", "by" + manager, "--replicas", "2", "--entrypoint", "sleep", "--stop-signal", "SIGKILL", ThreeNodes.IMAGE, "100000");
      MANAGERS.forEach(any -> assertThat(lab.dockerOn(any, "service", "ls", "--format", "{{.Name}}").succeeds().lines()).as("node%d knows it at once", any).contains("by" + manager));
    }
    MANAGERS.forEach(manager -> lab.replicas("by" + manager, "2/2"));

    lab.asks(2);
    for (int manager : List.of(1, 3)) { // the founder, which was told where the store is, and one that learned it
      assertThat(lab.docker("node", "demote", "node" + manager).succeeds().output()).contains("demoted in the swarm");
    }
    Machine.eventually("node2 is alone", () -> lab.managers(2), Map.of(2, "Leader")::equals);
    for (int worker : List.of(1, 3)) {
      Machine.eventually("node" + worker + " manages nothing", () -> lab.dockerOn(worker, "info", "--format", "{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}").text(), "active false"::equals);
      assertThat(lab.dockerOn(worker, "node", "ls").fails().output()).contains("This node is not a swarm manager.");
    }
    assertThat(lab.docker("node", "demote", "node2").fails().output()).contains("attempting to demote the last manager of the swarm");
    assertThat(lab.dockerOn(2, "swarm", "leave").fails().output()).contains("Removing the last manager erases all current state");
    lab.docker("node", "promote", "node1", "node3").succeeds();
    allManage();
    Invariants.hold(lab);
  }

  @Test
  void theLeadersHostLosesItsPower() {
    int host = leader();
    survived("kill of the leader's host", host, Seen.DOWN, () -> lab.does("kill", host), () -> lab.does("start", host));
  }
}
