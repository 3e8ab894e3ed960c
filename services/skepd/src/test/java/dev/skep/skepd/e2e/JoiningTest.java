package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** How a host becomes a node, stops being one, and becomes one again. */
class JoiningTest extends ThreeNodes {
  private Command.Result join(int node, String token, String... words) {
    List<String> all = new java.util.ArrayList<>(List.of("swarm", "join", "--token", token));
    all.addAll(List.of(words));
    return lab.dockerOn(node, all.toArray(String[]::new));
  }

  private String manager() {
    return lab.address(1) + ":2377";
  }

  private void leave(int node) {
    lab.dockerOn(node, "swarm", "leave").succeeds();
    lab.isIn(node, "Down Active");
    lab.docker("node", "rm", "node" + node).succeeds();
  }

  @Test
  void aHostLeavesAndJoinsAgain() {
    sleepers("g", "--mode", "global");
    lab.runsOn("g", "node1", "node2", "node3");
    String id = lab.dockerOn(3, "info", "--format", "{{.Swarm.NodeID}}").text();
    assertThat(lab.docker("node", "rm", "node3").fails().output()).contains("node " + id + " is not down and can't be removed");
    assertThat(join(3, lab.token("worker"), manager()).fails().output()).contains("This node is already part of a swarm. Use \"docker swarm leave\"");
    assertThat(lab.dockerOn(3, "swarm", "leave").succeeds().output()).contains("Node left the swarm.");
    lab.isIn(3, "Down Active");
    Machine.eventually("its containers are gone", () -> lab.containers(3, "g"), List::isEmpty);
    assertThat(lab.dockerOn(3, "swarm", "leave").fails().output()).contains("This node is not part of a swarm");
    lab.docker("node", "rm", "node3").succeeds();
    assertThat(lab.docker("node", "ls", "-q").lines()).hasSize(2);
    assertThat(join(3, lab.token("worker"), manager()).succeeds().output()).contains("This node joined a swarm as a worker.");
    lab.isIn(3, "Ready Active");
    lab.runsOn("g", "node1", "node2", "node3");
    assertThat(lab.dockerOn(3, "info", "--format", "{{.Swarm.NodeID}}").text()).isNotEqualTo(id);
    Invariants.hold(lab);
  }

  @Test
  void whatIsWrongWithATokenIsSaidAtOnce() {
    leave(3);
    String before = lab.token("worker");
    assertThat(join(3, "SWMTKN-1-nonsense", manager()).fails().output()).contains("invalid join token");
    String foreign = before.replaceFirst("-1-.", "-1-" + (before.charAt(9) == '0' ? '1' : '0'));
    assertThat(join(3, foreign, manager()).fails().output()).contains("remote CA does not match fingerprint");
    assertThat(join(3, before, lab.address(2) + ":2377").fails().output()).contains("connection refused");
    lab.docker("swarm", "join-token", "--rotate", "-q", "worker").succeeds();
    assertThat(join(3, before, manager()).fails().output()).contains("A valid join token is necessary to join this cluster");
    assertThat(lab.dockerOn(3, "info", "--format", "{{.Swarm.LocalNodeState}}").text()).isEqualTo("inactive");
    assertThat(lab.docker("node", "ls", "-q").lines()).as("nothing of the attempts stays").hasSize(2);
    join(3, lab.token("worker"), "--availability", "drain", "--advertise-addr", lab.address(3), manager()).succeeds();
    lab.isIn(3, "Ready Drain");
  }

  @Test
  void aRemovedNodeIsRefusedAndItsTasksRunElsewhere() {
    sleepers("s", "--replicas", "3");
    lab.runsOn("s", "node1", "node2", "node3");
    lab.docker("node", "rm", "--force", "node3").succeeds();
    assertThat(lab.docker("node", "ls", "-q").lines()).hasSize(2);
    Machine.eventually("three tasks on two hosts", () -> lab.hostsOf("s"), hosts -> hosts.size() == 3 && !hosts.contains("node3"));
    lab.dockerOn(3, "swarm", "leave", "--force").succeeds();
    lab.join(3);
    lab.isIn(3, "Ready Active");
    Machine.eventually("what it ran is gone", () -> lab.containers(3, "s"), List::isEmpty);
    Invariants.hold(lab);
  }

  @Test
  void aWipedHostJoinsUnderItsOldNameAndItsLeftoversGo() {
    Assumptions.assumeFalse(Lab.NATIVE, "its files lie elsewhere");
    lab.docker("network", "create", "-d", "overlay", "back").succeeds();
    sleepers("g", "--mode", "global", "--network", "back");
    lab.runsOn("g", "node1", "node2", "node3");
    lab.engine(3, "run", "-d", "--name", "bystander", "--entrypoint", "sleep", IMAGE, "100000").succeeds();
    String left = lab.containers(3, "g").getFirst();
    lab.sh(3, "skep down --edge && rm -rf /var/lib/skep/*").succeeds();
    lab.does("start", 3);
    assertThat(lab.dockerOn(3, "info", "--format", "{{.Swarm.LocalNodeState}}").text()).isEqualTo("inactive");
    lab.isIn(3, "Down Active");
    lab.join(3);
    lab.runsOn("g", "node1", "node2", "node3");
    Machine.eventually("the old identity's container is gone", () -> lab.engine(3, "ps", "-aq", "--no-trunc").lines(), seen -> !seen.contains(left));
    assertThat(lab.engine(3, "ps", "--format", "{{.Names}}").lines()).contains("bystander");
    lab.engine(3, "rm", "-f", "bystander").succeeds();
    Invariants.hold(lab);
    assertThat(lab.docker("node", "ls", "--format", "{{.Hostname}} {{.Status}}").lines()).containsExactlyInAnyOrder("node1 Ready", "node2 Ready", "node3 Ready", "node3 Down");
  }
}
