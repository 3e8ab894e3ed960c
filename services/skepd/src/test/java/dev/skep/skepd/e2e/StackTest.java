package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Compose files through `docker stack`. */
class StackTest extends OneMachine {
  @Override
  String machineName() {
    return "ske3";
  }

  @Test
  void unchangedChangedRemovedAndDeployedAtOnce() throws IOException {
    Path file = Files.createTempFile("stack", ".yaml");
    try {
      String stack = """
          version: "3.8"
          services:
            web:
              image: skep-hello:1
              ports: ["8090:80"]
              environment: {COLOUR: green}
              networks: [front]
              volumes: ["kept:/kept"]
              deploy: {replicas: 2}
            everywhere:
              image: skep-hello:1
              networks: [front]
              deploy: {mode: global}
          networks: {front: {}}
          volumes: {kept: {}}
          """;
      Files.writeString(file, stack);
      deploy(file);
      machine.replicas("demo_web", "2/2");
      machine.replicas("demo_everywhere", "1/1");
      assertThat(machine.docker("stack", "ls").output()).containsPattern("demo +2");
      assertThat(machine.docker("stack", "services", "demo").output()).contains("demo_web", "*:8090->80/tcp");
      assertThat(machine.docker("stack", "ps", "demo").output()).contains("demo_web.1", "demo_web.2", "Running");

      String before = machine.engine("ps", "-q", "--no-trunc").text();
      deploy(file);
      machine.oldDocker("stack", "deploy", "-c", file.toString(), "demo").succeeds();
      assertThat(machine.engine("ps", "-q", "--no-trunc").text()).as("no task restarts").isEqualTo(before);

      Files.writeString(file, stack.replace("green", "blue"));
      deploy(file);
      Machine.eventually("the new environment runs twice", () -> machine.engine("ps", "-q", "--filter", "label=com.docker.swarm.service.name=demo_web").lines().stream()
          .filter(id -> machine.engine("inspect", "-f", "{{.Config.Env}}", id).output().contains("COLOUR=blue")).count(), running -> running == 2);

      for (int round = 0; round < 3; round++) {
        machine.docker("stack", "rm", "demo").succeeds();
        deploy(file);
        machine.replicas("demo_web", "2/2");
        assertThat(history("demo_web")).doesNotContain("Pool overlaps", "Rejected");
        assertThat(machine.get("http://127.0.0.1:8090/")).startsWith("greetings from");
      }
      machine.docker("stack", "rm", "demo").succeeds();
      assertThat(machine.docker("network", "ls", "--format", "{{.Name}}").lines()).doesNotContain("demo_front");
    } finally {
      Files.deleteIfExists(file);
      machine.engine("volume", "rm", "-f", "demo_kept");
    }
  }

  private void deploy(Path file) {
    machine.docker("stack", "deploy", "-c", file.toString(), "demo").succeeds();
  }
}
