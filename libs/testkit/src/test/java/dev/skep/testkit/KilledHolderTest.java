package dev.skep.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.etcd.EtcdConfig;
import dev.skep.backend.etcd.EtcdStore;
import dev.skep.runtime.election.ProcessLease;
import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.host.ProcessHost;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import dev.skep.testkit.etcd.EtcdServer;
import dev.skep.testkit.net.Ports;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Real processes on a real etcd: the holder's is killed, or stopped for longer than its lease. Where leases last longer
 * than the test, another decides because it saw the holder's end and for no other reason.
 */
@Tag("engine")
@Timeout(240)
class KilledHolderTest {
  private static final Logger LOG = LoggerFactory.getLogger(KilledHolderTest.class);
  private static final Duration LONG = Duration.ofHours(1);

  @TempDir Path folder;
  private final Map<String, Process> processes = new HashMap<>(); // by node
  private final Map<String, Path> folders = new HashMap<>();
  private EtcdServer etcd;
  private EtcdStore direct;
  private ManagerIdentities identities;
  private ProcessHost observer; // a process without loops
  private Duration lease = LONG;

  @BeforeEach
  void start() throws Exception {
    etcd = EtcdServer.start();
    direct = EtcdStore.open(EtcdConfig.of(List.of(etcd.endpoint())), (name, body) -> Thread.ofPlatform().daemon().name(name).start(body));
    identities = new ManagerIdentities(folder, direct);
    observer = HostBuilder.named("observer").data(folder.resolve("observer")).onFatal((what, cause) -> {
      throw new AssertionError(what, cause);
    }).startProcess("etcd://" + etcd.endpoint());
  }

  @AfterEach
  void end() throws IOException {
    processes.values().forEach(process -> process.destroyForcibly().onExit().join());
    if (observer != null) {
      observer.close();
    }
    if (direct != null) {
      direct.close();
    }
    etcd.close();
  }

  /** They start together; returns when all of them have. */
  private void begin(String... nodes) throws IOException {
    for (String node : nodes) {
      Path data = folders.computeIfAbsent(node, identities::manager);
      processes.put(node, new ProcessBuilder(
          ProcessHandle.current().info().command().orElseThrow(), "--enable-native-access=ALL-UNNAMED", "-Xmx96m", "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), DeciderMain.class.getName(), data.toString(),
          "etcd://" + etcd.endpoint(), Long.toString(lease.toSeconds())).redirectError(data.resolve("log").toFile()).start());
    }
    for (String node : nodes) {
      BufferedReader output = processes.get(node).inputReader();
      for (String line = output.readLine(); !DeciderMain.STARTED.equals(line); line = output.readLine()) {
        assertThat(line).as(node + " prints").isNotNull();
      }
    }
  }

  /** The node whose process holds the loop, once it is not this one. */
  private String holder(String than) throws Exception {
    return Deciding.await(observer.view(), "another holder than " + than, state -> {
      LeaderRow row = state.value(Rows.LEADER.key("tasks"));
      return row != null && !row.getAddress().isEmpty() && !row.getNodeId().equals(than);
    }).value(Rows.LEADER.key("tasks")).getNodeId();
  }

  private void decided(long since, String what) throws Exception {
    identities.service();
    Deciding.decidedOnce(observer.view(), identities.services());
    LOG.info("decided {} ms after {}", (System.nanoTime() - since) / 1_000_000, what);
  }

  private long kill(String node) {
    long began = System.nanoTime();
    processes.remove(node).destroyForcibly().onExit().join();
    return began;
  }

  private long signal(String which, String node) throws Exception {
    long began = System.nanoTime();
    assertThat(new ProcessBuilder("kill", which, Long.toString(processes.get(node).pid())).inheritIO().start().waitFor()).isZero();
    return began;
  }

  @Test
  void aHolderThatIsStoppedLosesTheLoopAndNothingIsDecidedTwice() throws Exception {
    lease = ProcessLease.LIFE;
    begin("n1", "n2", "n3");
    decided(System.nanoTime(), "the start");
    String stopped = holder("");
    decided(signal("-STOP", stopped), "the holder was stopped");
    signal("-CONT", stopped);
    for (int i = 0; i < 5; i++) {
      decided(System.nanoTime(), "a service");
    }
  }

  @Test
  void holdersThatAreKilledInARow() throws Exception {
    begin("n1", "n2", "n3");
    decided(System.nanoTime(), "the start");
    String first = holder("");
    decided(kill(first), "the holder was killed");
    String second = holder(first);
    begin(first);
    long killed = kill(second);
    String third = holder(second);
    assertThat(processes).containsKey(third);
    decided(kill(third), "two were killed, " + (System.nanoTime() - killed) / 1_000_000 + " ms after the first of them");
  }

  /** The holder is stopped before the other one comes, and so has never answered it. */
  @Test
  void aHolderThatNeverAnsweredTheOtherOne() throws Exception {
    begin("n1");
    decided(System.nanoTime(), "the start");
    signal("-STOP", holder(""));
    begin("n2");
    decided(kill("n1"), "a holder was killed that never answered");
  }

  @Test
  void aHolderThatComesAgainAtOnceAtTheSameAddress() throws Exception {
    folders.put("n1", identities.manager("n1", Ports.free(1).getFirst()));
    begin("n1");
    decided(System.nanoTime(), "the start");
    long killed = kill("n1");
    begin("n1");
    decided(killed, "the only manager was killed, and started again");
  }
}
