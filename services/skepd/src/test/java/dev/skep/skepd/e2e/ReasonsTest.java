package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Whatever does not move says why, and the cluster goes on. */
class ReasonsTest extends OneMachine {
  @Override
  String machineName() {
    return "ske5";
  }

  @Test
  void anImageThatDoesNotExist() {
    create("--name", "noimage", "--no-resolve-image", "no/such:image");
    showsUp("noimage", "No such image: no/such:image");
    goesOn();
  }

  @Test
  void aPortOfAnotherService() {
    create("--name", "first", "-p", "8100:80", IMAGE);
    assertThat(machine.docker("service", "create", "--detach", "--name", "second", "-p", "8100:80", IMAGE).fails().output())
        .contains("port '8100' is already in use by service 'first'");
    goesOn();
  }

  @Test
  void aPortOfAnotherProgram() throws IOException {
    Path output = Files.createTempFile("holder", ".out");
    Process holder = Command.of("busybox", "nc", "-l", "-p", "8101").inNamespace(machine.namespace()).start(output);
    try {
      create("--name", "blocked", "-p", "8101:80", IMAGE);
      showsUp("blocked", "8101");
      assertThat(history("blocked")).contains("in use");
      holder.destroyForcibly().waitFor();
      Machine.eventually("the port opens once it is free", () -> machine.get("http://127.0.0.1:8101/"), answer -> answer.startsWith("greetings"));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      holder.destroyForcibly();
      Files.deleteIfExists(output);
    }
    goesOn();
  }

  @Test
  void aConstraintThatNoNodeMeets() {
    create("--name", "picky", "--constraint", "node.labels.disk==ssd", IMAGE);
    showsUp("picky", "no suitable node (scheduling constraints not satisfied on 1 node)");
    String node = machine.docker("node", "ls", "-q").text();
    machine.docker("node", "update", "--label-add", "disk=ssd", node).succeeds();
    machine.replicas("picky", "1/1");
    machine.docker("node", "update", "--label-rm", "disk", node).succeeds();
    goesOn();
  }

  @Test
  void aSubnetWithoutAddressesLeft() {
    machine.docker("network", "create", "-d", "overlay", "--subnet", "10.99.0.0/29", "tiny").succeeds();
    create("--name", "many", "--replicas", "10", "--network", "tiny", IMAGE);
    showsUp("many", "no address left in network tiny");
    goesOn();
  }

  @Test
  void aSubnetThatOverlapsTheHostsRoutesIsRefused() {
    assertThat(machine.docker("network", "create", "-d", "overlay", "--subnet", "10.88.0.0/16", "greedy").fails().output()).contains("overlaps").contains("10.88.0.0/24");
    assertThat(machine.outside("busybox ping -c 1 -W 2 " + Machine.ADDRESS).exit()).as("the host's own network keeps working").isZero();
    goesOn();
  }

  @Test
  void aContainerThatExitsAtOnceInALoop() {
    create("--name", "loop", "--restart-delay", "100ms", "--entrypoint", "sh", IMAGE, "-c", "exit 3");
    showsUp("loop", "task: non-zero exit (3)");
    Machine.eventually("the history is bounded and full", () -> history("loop").lines().count() - 1, count -> count == 5);
    goesOn();
    assertThat(machine.engine("ps", "-aq").lines().size()).isLessThanOrEqualTo(8);
  }

  @Test
  void anEngineThatStops() {
    create("--name", "lasting", "-p", "8102:80", IMAGE);
    machine.replicas("lasting", "1/1");
    machine.stopEngine();
    try {
      showsUp("lasting", "does not answer");
      Machine.eventually("the node gets no new tasks", () -> machine.docker("node", "ls").succeeds().output(), seen -> seen.contains("Unknown"));
    } finally {
      machine.startEngine();
    }
    Machine.eventually("the engine's node is ready", () -> machine.docker("node", "ls").output(), seen -> seen.contains("Ready"));
    machine.replicas("lasting", "1/1");
    Machine.eventually("it answers again", () -> machine.get("http://127.0.0.1:8102/"), answer -> answer.startsWith("greetings"));
    goesOn();
  }

  private void goesOn() {
    create("--name", "healthy", "--replicas", "1", IMAGE);
    machine.replicas("healthy", "1/1");
  }
}
