package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** One network over three hosts. */
class AcrossNodesTest extends ThreeNodes {
  @Test
  void aStackOnAnOverlayAnswersEverywhere() {
    lab.docker("stack", "deploy", "--resolve-image", "never", "-c", Machine.HOME.resolve("examples/hello/compose.yaml").toString(), "hello").succeeds();
    lab.replicas("hello_web", "3/3");
    lab.replicas("hello_greeter", "2/2");
    Invariants.hold(lab);
    Invariants.namesAreTrue(lab, "hello_web", "hello_greeter", "greeter");
    Invariants.namesAreTrue(lab, "hello_web", "hello_web", "web");
    assertThat(lab.hostsOf("hello_web")).containsExactly("node1", "node2", "node3");
    for (int node : lab.nodes()) {
      String tasks = lab.docker("node", "ps", "node" + node, "--filter", "desired-state=running", "--format", "{{.Name}}").text();
      assertThat(tasks.lines().filter(line -> line.startsWith("hello_web")).count()).as("`node ps node%s`: %s", node, tasks).isEqualTo(1);
    }
    Assumptions.assumeFalse(Lab.NATIVE, "this kernel has no IPVS, which swarm mode's mesh and VIPs need");
    for (int node : lab.nodes()) {
      List<String> answers = IntStream.range(0, 6).mapToObj(_ -> lab.get(node, 8080)).toList();
      assertThat(answers).as("node%s", node).allMatch(line -> line.matches("hello from \\w+, which heard: greetings from \\w+"));
      assertThat(answers.stream().map(line -> line.replaceAll(",.*", "")).distinct().count()).as("three tasks answer in turn on node%s: %s", node, answers).isEqualTo(3);
      assertThat(answers.stream().map(line -> line.replaceAll(".*, ", "")).collect(Collectors.toSet())).as("both greeters were asked: %s", answers).hasSize(2);
    }
  }

  @Test
  void theMeshAnswersOnHostsWithoutATask() {
    Assumptions.assumeFalse(Lab.NATIVE, "no IPVS");
    create("--name", "web", "--publish", "8310:80", "--constraint", "node.hostname==node3", IMAGE, "greeter");
    lab.runsOn("web", "node3");
    Invariants.meshIsTrue(lab, "web", 8310);
    lab.docker("service", "scale", "--detach", "web=4").succeeds();
    lab.replicas("web", "4/4");
    Invariants.meshIsTrue(lab, "web", 8310);
  }

  @Test
  void aPortThatAnotherProgramHoldsIsReportedByThatNodeAndStopsNoOther() {
    Assumptions.assumeFalse(Lab.NATIVE, "swarm mode says nothing");
    lab.sh(2, "setsid busybox httpd -f -p 8320 >/dev/null 2>&1 </dev/null & echo $! >/run/holder.pid").succeeds();
    try {
      create("--name", "web", "--replicas", "3", "--publish", "8320:80", IMAGE, "greeter");
      lab.replicas("web", "3/3");
      Machine.eventually("node2 says so", () -> lab.docker("node", "inspect", "node2").output() + lab.docker("service", "inspect", "web").output()
          + lab.docker("service", "ps", "--no-trunc", "web").output(), seen -> seen.contains("8320") && seen.contains("in use"));
      for (int node : List.of(1, 3)) {
        Machine.eventually("node" + node + " answers", () -> lab.get(node, 8320), answer -> answer.startsWith("greetings"));
      }
    } finally {
      lab.sh(2, "kill $(cat /run/holder.pid)");
    }
    Machine.eventually("node2 answers once the port is free", () -> lab.get(2, 8320), answer -> answer.startsWith("greetings"));
  }

  @Test
  void networksDoNotSeeEachOther() {
    lab.docker("network", "create", "-d", "overlay", "one").succeeds();
    lab.docker("network", "create", "-d", "overlay", "two").succeeds();
    create("--name", "server", "--network", "one", "--replicas", "3", IMAGE, "greeter");
    sleepers("friend", "--network", "one", "--mode", "global");
    sleepers("stranger", "--network", "two", "--mode", "global");
    lab.runsOn("server", "node1", "node2", "node3");
    lab.runsOn("friend", "node1", "node2", "node3");
    lab.runsOn("stranger", "node1", "node2", "node3");
    Invariants.hold(lab);
    Invariants.namesAreTrue(lab, "friend", "server", "server");
    for (int node : lab.nodes()) {
      String friend = lab.containers(node, "friend").getFirst();
      String stranger = lab.containers(node, "stranger").getFirst();
      for (String address : Invariants.addresses(lab.engine(node, "exec", friend, "nslookup", "tasks.server").output())) {
        assertThat(wget(node, friend, address)).as("from node%s to %s", node, address).startsWith("greetings");
        assertThat(wget(node, stranger, address)).as("from another network on node%s to %s", node, address).doesNotContain("greetings");
      }
      assertThat(lab.engine(node, "exec", stranger, "nslookup", "server").exit()).isNotZero();
    }
  }

  private String wget(int node, String container, String host) {
    return lab.engine(node, "exec", container, "busybox", "timeout", "2", "wget", "-q", "-O", "-", "http://" + host + "/").output();
  }
}
