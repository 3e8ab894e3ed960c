package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A cluster is left and made again, its node drained and paused, and a second one lives beside it on the same machine. */
class ClusterLifeTest extends OneMachine {
  @Override
  String machineName() {
    return "skec";
  }

  @Test
  void leavingRemovesEverythingOfTheClusterAndInitStartsAnew() {
    machine.docker("network", "create", "-d", "overlay", "old").succeeds();
    create("--name", "old", "--network", "old", "-p", "8300:80", IMAGE);
    machine.replicas("old", "1/1");
    assertThat(machine.docker("swarm", "leave").fails().output()).contains("Removing the last manager erases all current state of the swarm");
    machine.docker("swarm", "leave", "--force").succeeds();
    assertThat(machine.docker("service", "ls").fails().output()).contains("This node is not a swarm manager.");
    assertThat(machine.docker("info", "--format", "{{.Swarm.LocalNodeState}}").text()).isEqualTo("inactive");
    Machine.eventually("the old containers are gone", () -> machine.engine("ps", "-aq").text(), String::isEmpty);
    Machine.eventually("the old networks are gone", () -> machine.engine("network", "ls", "--format", "{{.Name}}").output(), seen -> !seen.contains("skep"));
    Machine.eventually("the old rules are gone", () -> machine.sh("nft list tables; ip -br link").output(), seen -> !seen.contains("sk"));
    assertThat(machine.get("http://127.0.0.1:8300/")).isEmpty();

    machine.docker("swarm", "init", "--default-addr-pool", "10.60.0.0/16", "--default-addr-pool-mask-length", "26").succeeds();
    assertThat(machine.docker("swarm", "init").fails().output()).contains("This node is already part of a swarm.");
    assertThat(machine.docker("service", "ls", "-q").text()).isEmpty();
    create("--name", "old", "-p", "8300:80", IMAGE);
    machine.replicas("old", "1/1");
    Machine.eventually("the port answers", () -> machine.get("http://127.0.0.1:8300/"), seen -> seen.startsWith("greetings"));
    assertThat(machine.docker("network", "inspect", "ingress").output()).contains("10.60.0.0/26");
  }

  @Test
  void drainMovesTasksAwayPauseTakesNoNewOnes() {
    create("--name", "moved", IMAGE);
    machine.replicas("moved", "1/1");
    String node = machine.docker("node", "ls", "--format", "{{.Hostname}}").text();
    machine.docker("node", "update", "--availability", "drain", "--label-add", "zone=a", node).succeeds();
    machine.replicas("moved", "0/1");
    showsUp("moved", "no suitable node (1 node not available for new tasks)");
    machine.oldDocker("node", "update", "--availability", "active", node).succeeds();
    machine.replicas("moved", "1/1");
    machine.docker("node", "update", "--availability", "pause", node).succeeds();
    machine.docker("service", "scale", "--detach", "moved=2").succeeds();
    showsUp("moved", "no suitable node");
    machine.replicas("moved", "1/2");
    assertThat(machine.docker("node", "inspect", "--pretty", "self").output()).contains("Pause").contains("zone=a");
    machine.docker("node", "update", "--availability", "active", "--label-rm", "zone", node).succeeds();
    machine.replicas("moved", "2/2");
    assertThat(machine.docker("node", "demote", node).fails().output()).contains("attempting to demote the last manager of the swarm");
  }

  @Test
  void aFailingHealthCheckReplacesTheTaskAndSaysWhy() {
    create("--name", "ill", "--health-cmd", "false", "--health-interval", "500ms", "--health-retries", "1", "--stop-signal", "SIGKILL", IMAGE);
    showsUp("ill", "unhealthy container");
    assertThat(history("ill")).contains("\\_ ill.1");
  }
}
