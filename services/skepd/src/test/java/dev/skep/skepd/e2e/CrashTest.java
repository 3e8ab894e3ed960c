package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Parts are killed while the cluster works. */
class CrashTest extends OneMachine {
  @Override
  String machineName() {
    return "ske7";
  }

  /** Requests one after the other until a file appears; prints what failed. */
  private Process clientLoop(String url, Path stop, Path output) {
    return Command.of("sh", "-c", "n=0; f=0; while [ ! -e " + stop + " ]; do n=$((n+1)); curl -s -m 5 " + url
        + " | grep -q greetings || { f=$((f+1)); echo failed $n; }; done; echo requests $n failures $f").inNamespace(machine.namespace()).start(output);
  }

  @Test
  void killingTheDaemonUnderLoadLosesNothing() throws IOException, InterruptedException {
    Path stop = machine.data().resolveSibling("stop");
    Path output = Files.createTempFile("load", ".out");
    machine.docker("network", "create", "-d", "overlay", "back").succeeds();
    create("--name", "web", "--replicas", "2", "-p", "8110:80", "--network", "back", IMAGE);
    machine.replicas("web", "2/2");
    String containers = machine.engine("ps", "-q", "--no-trunc").text();
    String web = containers.lines().findFirst().orElseThrow();
    Process load = clientLoop("http://127.0.0.1:8110/", stop, output);
    for (int round = 0; round < 3; round++) {
      create("--name", "made" + round, "--replicas", "1", IMAGE);
      long pid = machine.pid("skepd");
      machine.kill9(pid);
      assertThat(machine.engine("exec", web, "nslookup", "web").exit()).as("names resolve without the daemon").isZero();
      Machine.eventually("the daemon is back", () -> machine.docker("service", "ls", "-q"), result -> result.exit() == 0);
      assertThat(machine.pid("skepd")).isNotEqualTo(pid);
    }
    for (int round = 0; round < 3; round++) {
      machine.replicas("made" + round, "1/1");
    }
    Files.createFile(stop);
    load.waitFor();
    assertThat(Files.readString(output)).containsPattern("requests \\d{2,} failures 0");
    assertThat(machine.engine("ps", "-q", "--no-trunc", "--filter", "label=com.docker.swarm.service.name=web").lines()).as("no container restarts")
        .containsExactlyInAnyOrderElementsOf(containers.lines().toList());
    Files.deleteIfExists(output);
  }

  @Test
  void aKilledEdgeIsBackAtOnce() {
    create("--name", "web", "--replicas", "2", "-p", "8111:80", IMAGE);
    machine.replicas("web", "2/2");
    long pid = machine.pid("edge");
    machine.kill9(pid);
    Machine.eventually("the port answers again", () -> machine.get("http://127.0.0.1:8111/"), answer -> answer.startsWith("greetings"));
    assertThat(machine.pid("edge")).isNotEqualTo(pid);
  }

  @Test
  void anEngineRestartBringsEverythingBack() {
    create("--name", "web", "--replicas", "3", "-p", "8112:80", IMAGE);
    machine.replicas("web", "3/3");
    machine.stopEngine();
    machine.startEngine();
    machine.replicas("web", "3/3");
    List<String> answers = Machine.eventually("three tasks answer",
        () -> java.util.stream.IntStream.range(0, 6).mapToObj(i -> machine.get("http://127.0.0.1:8112/")).distinct().toList(), seen -> seen.size() == 3);
    assertThat(answers).allMatch(answer -> answer.startsWith("greetings from"));
  }
}
