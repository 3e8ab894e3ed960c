package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A hundred random things die while a client sends requests to a host that stays. Every failed request is explained. */
@Tag("long")
class RandomKillsTest extends ThreeNodes {
  private static final int KILLS = Integer.getInteger("skep.kills", 100);
  private static final int PORT = 8500;
  /** So long after a task or its host died may a request that was given to it fail: until the client gives up. */
  private static final Duration EXPLAINED = Duration.ofSeconds(8);

  record Death(Instant when, String what, boolean ofTasks) {}

  @Test
  @Timeout(value = 60, unit = java.util.concurrent.TimeUnit.MINUTES)
  void aHundredRandomDeaths() throws IOException, InterruptedException {
    long seed = Long.getLong("skep.seed", System.nanoTime());
    Random random = new Random(seed);
    lab.docker("network", "create", "-d", "overlay", "back").succeeds();
    create("--name", "web", "--replicas", "4", "--network", "back", "--restart-delay", "0s", "--publish", PORT + ":80", IMAGE, "greeter");
    sleepers("client", "--mode", "global", "--network", "back");
    lab.replicas("web", "4/4");
    lab.runsOn("client", "node1", "node2", "node3");
    Path folder = Files.createTempDirectory("kills");
    Path output = folder.resolve("requests");
    Process load = Command.of("sh", "-c", "n=0; while [ ! -e " + folder + "/stop ]; do n=$((n+1)); t=$(date +%s%3N); curl -s -m 5 http://" + lab.address(1) + ":" + PORT
        + "/ | grep -q '^greetings' || echo failed $t $(date +%s%3N); done; echo requests $n").inNamespace("skep-lab-e2e").start(output);
    List<Death> deaths = new ArrayList<>();
    try {
      for (int i = 0; i < KILLS; i++) {
        deaths.add(kill(random));
        if (i % 10 == 9) {
          lab.mend();
          Invariants.hold(lab);
          Invariants.namesAreTrue(lab, "client", "web", "web");
          Invariants.meshIsTrue(lab, "web", PORT);
        }
      }
    } finally {
      Files.createFile(folder.resolve("stop"));
      load.waitFor();
    }
    String requests = Files.readString(output);
    List<String> unexplained = requests.lines().filter(line -> line.startsWith("failed") && !explained(line, deaths)).toList();
    System.out.println("seed " + seed + ", " + deaths.size() + " deaths\n" + requests);
    assertThat(unexplained).as("seed %s: failed requests that no dead task explains, among %s", seed, deaths).isEmpty();
  }

  private static boolean explained(String line, List<Death> deaths) {
    Instant sent = Instant.ofEpochMilli(Long.parseLong(line.split(" ")[1]));
    return deaths.stream().anyMatch(death -> death.ofTasks() && death.when().minus(EXPLAINED).isBefore(sent) && sent.isBefore(death.when().plus(EXPLAINED)));
  }

  private Death kill(Random random) {
    int worker = 2 + random.nextInt(2);
    int any = 1 + random.nextInt(3);
    int kind = random.nextInt(10);
    if (kind < 3) {
      lab.sh(any, "kill -9 $(cat /run/skep/skepd.pid)");
      return new Death(Instant.now(), "skepd of node" + any, false);
    }
    if (kind < 5) {
      lab.sh(worker, "kill -9 $(cat /run/skep/edge.pid)");
      return new Death(Instant.now(), "edge of node" + worker, false);
    }
    if (kind < 8) {
      List<String> tasks = lab.containers(any, "web");
      if (!tasks.isEmpty()) {
        lab.engine(any, "kill", tasks.get(random.nextInt(tasks.size())));
      }
      return new Death(Instant.now(), "a task on node" + any, true);
    }
    if (kind == 8) {
      lab.does("kill", worker);
      Death death = new Death(Instant.now(), "node" + worker, true);
      lab.does("start", worker);
      return death;
    }
    lab.does("cut", worker);
    Death death = new Death(Instant.now(), "cable of node" + worker, true);
    NodeDeathTest.lasts(Duration.ofMillis(200 + random.nextInt(6000)));
    lab.does("heal", worker);
    return death;
  }
}
