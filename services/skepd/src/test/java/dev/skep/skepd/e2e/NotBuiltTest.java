package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What is not built yet says so by name; what belongs to the engine passes through. */
class NotBuiltTest extends OneMachine {
  @Override
  String machineName() {
    return "ske6";
  }

  @Test
  void plainContainersOnOverlaysAreRefusedByNameAndTakeNoAddress() {
    machine.docker("network", "create", "-d", "overlay", "over").succeeds();
    create("--name", "holder", "--network", "over", IMAGE);
    machine.replicas("holder", "1/1");
    assertThat(machine.docker("run", "--rm", "--network", "over", IMAGE).fails().output()).contains("not built yet");
    machine.docker("run", "-d", "--name", "plain", IMAGE).succeeds();
    try {
      assertThat(machine.docker("network", "connect", "over", "plain").fails().output()).contains("not built yet");
    } finally {
      machine.engine("rm", "-f", "plain").succeeds();
    }
    machine.docker("service", "scale", "holder=3").succeeds();
  }

  @Test
  void pruneLeavesOurNetworksAlone() {
    machine.docker("network", "create", "-d", "overlay", "unused").succeeds();
    create("--name", "user", "-p", "8103:80", IMAGE);
    machine.replicas("user", "1/1");
    machine.docker("network", "prune", "-f").succeeds();
    machine.docker("system", "prune", "-f").succeeds();
    assertThat(machine.docker("network", "ls", "--format", "{{.Name}}").lines()).contains("unused", "ingress");
    assertThat(machine.docker("network", "ls", "--format", "{{.Name}}").output()).doesNotContain("skep-");
    assertThat(machine.get("http://127.0.0.1:8103/")).startsWith("greetings");
  }

  @Test
  void everythingElsePassesThroughToTheEngine() {
    assertThat(machine.cli(Machine.NEW_CLI, "unix://" + machine.apiSocket(), "run", "--rm", "--entrypoint", "busybox", IMAGE, "echo", "through").run().text()).isEqualTo("through");
    machine.docker("run", "-d", "--name", "target", IMAGE).succeeds();
    try {
      String piped = machine.sh("echo 'from stdin' | DOCKER_HOST=unix://" + machine.apiSocket() + " " + Machine.NEW_CLI
          + " exec -i target sh -c 'cat; echo after the end; exit 5'; echo exit $?").text();
      assertThat(piped).isEqualTo("from stdin\nafter the end\nexit 5");
    } finally {
      machine.engine("rm", "-f", "target").succeeds();
    }
    assertThat(machine.docker("volume", "ls").exit()).isZero();
    assertThat(machine.docker("images").output()).contains("skep-hello");
  }

  @Test
  void laterFeaturesAnswerByName() {
    assertThat(machine.sh("echo x | DOCKER_HOST=unix://" + machine.apiSocket() + " " + Machine.NEW_CLI + " secret create s -").fails().output()).contains("not built yet");
    assertThat(machine.docker("service", "create", "-d", "--name", "job", "--mode", "replicated-job", IMAGE).fails().output()).contains("not built yet");
    assertThat(machine.docker("service", "create", "-d", "--name", "rolling", "--update-parallelism", "2", IMAGE).fails().output()).contains("not built yet");
    assertThat(machine.docker("network", "create", "-d", "overlay", "--attachable", "att").fails().output()).contains("not built yet");
    assertThat(machine.docker("service", "ls", "-q").text()).isEmpty();
  }
}
