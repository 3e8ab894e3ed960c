package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.testkit.kafka.KafkaServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A cluster with running tasks moves from the embedded store to etcd and Kafka. */
@Tag("slow")
class MigrateTest extends OneMachine {
  private static final String STORE = "etcd://127.0.0.1:2379/skep";

  @Override
  String machineName() {
    return "skr2";
  }

  private String containersOf(String service) {
    return machine.engine("ps", "-q", "--no-trunc", "--filter", "label=com.docker.swarm.service.name=" + service).text();
  }

  @Test
  void noContainerRestartsAndThePortAnswersAllTheTime() throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("skep-migrate");
    Path stop = folder.resolve("stop");
    Process etcd = Command.of("etcd", "--data-dir", folder.resolve("etcd").toString(), "--log-level", "warn").inNamespace(machine.namespace())
        .start(folder.resolve("etcd.log"));
    try (KafkaServer kafka = KafkaServer.startIn(machine.namespace())) {
      create("--name", "web", "--replicas", "2", "-p", "8141:80", IMAGE);
      machine.replicas("web", "2/2");
      String web = containersOf("web");
      Process load = Command.of("sh", "-c", "n=0; f=0; while [ ! -e " + stop + " ]; do n=$((n+1)); curl -s -m 5 http://127.0.0.1:8141/"
          + " | grep -q greetings || { f=$((f+1)); echo failed $n; }; done; echo requests $n failures $f").inNamespace(machine.namespace())
          .start(folder.resolve("load.out"));
      String[] move = {"--to", STORE, "--log", "kafka://" + kafka.address()};
      assertThat(machine.skep("migrate", move).fails().output()).as("while it runs").contains("skepd is running");
      machine.skep("down").succeeds();
      assertThat(machine.skep("migrate", "--to", STORE, "--log", "kafka://127.0.0.1:1").fails().output()).contains("nothing was moved");
      assertThat(machine.skep("migrate", move).succeeds().output()).contains("moved to " + STORE);
      assertThat(machine.skep("migrate", move).succeeds().output()).as("again").contains("already");
      assertThat(machine.data().resolve("store.moved")).isDirectory();
      machine.skep("up").succeeds();
      Machine.eventually("the node is back", () -> machine.docker("node", "ls").output(), seen -> seen.contains("Ready"));
      machine.replicas("web", "2/2");
      machine.docker("service", "scale", "--detach", "web=3").succeeds();
      machine.replicas("web", "3/3");
      assertThat(containersOf("web").lines().toList()).as("no container restarts").containsAll(web.lines().toList());
      assertThat(machine.docker("swarm", "join-token", "-q", "manager").succeeds().text()).startsWith("SWMTKN");
      Files.createFile(stop);
      load.waitFor();
      assertThat(Files.readString(folder.resolve("load.out"))).containsPattern("requests \\d{2,} failures 0");
      machine.docker("service", "rm", "web").succeeds();
      Machine.eventually("no container is left", () -> machine.engine("ps", "-aq").text(), String::isEmpty);
      machine.skep("down", "--purge").succeeds();
    } finally {
      Files.writeString(stop, "");
      etcd.destroyForcibly().waitFor();
      Command.of("rm", "-rf", folder.toString()).run();
    }
  }

  /** What is left is taken away with the machine: its store is gone by then. */
  @Override
  void removeEverything() {}
}
