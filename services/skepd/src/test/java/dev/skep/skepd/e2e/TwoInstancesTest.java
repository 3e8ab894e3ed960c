package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Two clusters with their own engine, data and socket share one machine, and one is purged without the other noticing. */
class TwoInstancesTest extends OneMachine {
  @Override
  String machineName() {
    return "sket";
  }

  @Test
  void bothServeAndPurgingOneLeavesTheOtherAlone() throws Exception {
    Path folder = Files.createTempDirectory("skep-e2e-second");
    String engine = "unix://" + folder + "/engine.sock";
    String api = "unix://" + folder + "/docker.sock";
    // the engine's default bridge is the first engine's: this one goes without
    String start = "echo nameserver 127.0.0.1 >" + folder + "/resolv.conf; mount --bind " + folder + "/resolv.conf /etc/resolv.conf; exec dockerd --bridge none --host " + engine
        + " --data-root " + folder + "/engine --exec-root " + folder + "/exec --pidfile " + folder + "/engine.pid";
    Process second = Command.of("nsenter", "--net=/var/run/netns/" + machine.namespace(), "unshare", "-m", "sh", "-c", start).start(folder.resolve("engine.log"));
    try {
      Machine.eventually("the second engine answers",
          () -> Command.of("curl", "-s", "-m", "2", "--unix-socket", folder + "/engine.sock", "http://x/_ping").run().text(), "OK"::equals);
      Command.of("bash", "-c", Machine.HOME.resolve("examples/hello/prepare").toString()).with("DOCKER_HOST", engine).run().succeeds();
      machine.docker("network", "create", "-d", "overlay", "same").succeeds();
      create("--name", "first", "--network", "same", "-p", "8401:80", IMAGE);
      machine.replicas("first", "1/1");

      skep("up", folder, api, engine).run().succeeds();
      machine.cli(Machine.NEW_CLI, api, "network", "create", "-d", "overlay", "same").run().succeeds();
      machine.cli(Machine.NEW_CLI, api, "service", "create", "-d", "--name", "second", "--network", "same", "-p", "8402:80", IMAGE).run().succeeds();
      machine.cli(Machine.NEW_CLI, api, "service", "create", "-d", "--name", "clash", "--network", "same", "-p", "8401:80", IMAGE).run().succeeds();
      answers("8402");
      answers("8401");
      Machine.eventually("the taken port is told", () -> machine.cli(Machine.NEW_CLI, api, "service", "ps", "--no-trunc", "clash").run().output(),
          seen -> seen.contains("port 8401/tcp on node ") && seen.contains("already in use by another program"));

      skep("down", folder, api, engine, "--purge").run().succeeds();
      assertThat(machine.get("http://127.0.0.1:8402/")).isEmpty();
      answers("8401");
      machine.replicas("first", "1/1");
      assertThat(machine.sh("nft list tables").output().lines().filter(line -> line.contains("skep"))).hasSize(1);
    } finally {
      skep("down", folder, api, engine, "--purge").run();
      second.destroy();
      second.waitFor();
      Command.of("sh", "-c", "umount -l " + folder + "/engine/* " + folder + "/exec/* 2>/dev/null; rm -rf " + folder).run();
    }
  }

  private void answers(String port) {
    Machine.eventually("port " + port + " answers", () -> machine.get("http://127.0.0.1:" + port + "/"), seen -> seen.startsWith("greetings"));
  }

  private Command skep(String command, Path folder, String api, String engine, String... more) {
    List<String> words = new java.util.ArrayList<>(List.of(Machine.HOME.resolve("skep").toString(), command,
        "--data", folder + "/data", "--api", api, "--engine", engine));
    words.addAll(List.of(more));
    return new Command(words, Map.of("DOCKER_CONFIG", folder + "/config"), Duration.ofSeconds(180)).inNamespace(machine.namespace());
  }
}
