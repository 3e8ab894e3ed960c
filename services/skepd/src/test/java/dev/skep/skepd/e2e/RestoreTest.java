package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A cluster is brought back from a backup that is older than what runs. */
class RestoreTest extends OneMachine {
  private Path folder;

  @Override
  String machineName() {
    return "skr1";
  }

  @AfterEach
  void forgetFiles() throws IOException {
    if (folder != null) {
      Command.of("rm", "-rf", folder.toString()).run().succeeds();
      folder = null;
    }
  }

  private String containersOf(String service) {
    return machine.engine("ps", "-q", "--no-trunc", "--filter", "label=com.docker.swarm.service.name=" + service).text();
  }

  /** Requests one after the other until a file appears; prints what failed. */
  private Process clientLoop(String url, Path stop, Path output) {
    return Command.of("sh", "-c", "n=0; f=0; while [ ! -e " + stop + " ]; do n=$((n+1)); curl -s -m 5 " + url
        + " | grep -q greetings || { f=$((f+1)); echo failed $n; }; done; echo requests $n failures $f").inNamespace(machine.namespace()).start(output);
  }

  @Test
  void nothingHealthyEndsBeforeSomebodyConfirms() throws IOException, InterruptedException {
    folder = Files.createTempDirectory("skep-restore");
    Path backup = folder.resolve("cluster.backup");
    Path stop = folder.resolve("stop");
    create("--name", "old", "--replicas", "2", "-p", "8131:80", IMAGE);
    machine.replicas("old", "2/2");
    assertThat(machine.skep("backup", backup.toString()).succeeds().output()).contains("rows at revision");
    create("--name", "newer", "--replicas", "2", "-p", "8132:80", IMAGE);
    machine.replicas("newer", "2/2");
    String old = containersOf("old");
    String newer = containersOf("newer");
    Process oldLoad = clientLoop("http://127.0.0.1:8131/", stop, folder.resolve("old.out"));
    Process newerLoad = clientLoop("http://127.0.0.1:8132/", stop, folder.resolve("newer.out"));

    assertThat(machine.skep("restore", backup.toString()).fails().output()).as("while it runs").contains("skepd is running");
    machine.skep("down").succeeds();
    assertThat(machine.skep("restore", backup.toString()).fails().output()).as("over a cluster").contains("this cluster already");
    Files.move(machine.data().resolve("store"), folder.resolve("lost"));
    assertThat(machine.skep("up").fails().output()).as("a second cluster must not be founded").contains("./skep restore FILE");
    machine.skep("restore", backup.toString()).succeeds();
    machine.skep("up").succeeds();

    Machine.eventually("its node is back", () -> machine.docker("node", "ls").output(), seen -> seen.contains("Ready"));
    assertThat(machine.docker("info").output()).contains("restored from a backup of");
    assertThat(history("old")).contains("restored from a backup of");
    String pending = Machine.eventually("what runs is known", () -> machine.skep("restore", "--pending").output(), seen -> seen.contains("2 tasks"));
    assertThat(machine.skep("status").output()).contains("skep restore --confirm").contains("2 tasks that the backup does not know");
    newer.lines().forEach(id ->
        assertThat(pending).contains(machine.engine("inspect", "--format", "{{index .Config.Labels \"com.docker.swarm.task.id\"}}", id).text()));
    create("--name", "later", "--replicas", "1", IMAGE);
    machine.kill9(machine.pid("skepd")); // starts anew, and knows still that it waits
    Machine.eventually("the daemon is back", () -> machine.docker("service", "ls").output(), seen -> seen.contains("later"));
    Machine.eventually("what runs is known again", () -> machine.skep("restore", "--pending").output(), seen -> seen.contains("2 tasks"));
    assertThat(containersOf("old")).isEqualTo(old);
    assertThat(containersOf("newer")).isEqualTo(newer);
    assertThat(containersOf("later")).as("nothing is started").isEmpty();
    Files.createFile(stop);
    oldLoad.waitFor();
    newerLoad.waitFor();
    assertThat(Files.readString(folder.resolve("old.out"))).containsPattern("requests \\d{2,} failures 0");
    assertThat(Files.readString(folder.resolve("newer.out"))).containsPattern("requests \\d{2,} failures 0");

    assertThat(machine.skep("restore", "--confirm").succeeds().output()).contains("confirmed");
    Machine.eventually("what the backup does not know ends", () -> containersOf("newer"), String::isEmpty);
    machine.replicas("later", "1/1");
    machine.replicas("old", "2/2");
    assertThat(containersOf("old")).as("no container restarts").isEqualTo(old);
    assertThat(machine.get("http://127.0.0.1:8131/")).startsWith("greetings");
    assertThat(machine.docker("info").output()).doesNotContain("restored from a backup");
    assertThat(machine.skep("restore", "--confirm").fails().output()).contains("no restore waits");
  }
}
