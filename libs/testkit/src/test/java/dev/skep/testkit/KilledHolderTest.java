package dev.skep.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.etcd.EtcdConfig;
import dev.skep.backend.etcd.EtcdStore;
import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.host.ProcessHost;
import dev.skep.state.Rows;
import dev.skep.testkit.etcd.EtcdServer;
import java.io.IOException;
import java.nio.file.Path;
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

/** Three real processes on a real etcd: the holder's is killed, then stopped for longer than its lease. */
@Tag("engine")
@Timeout(240)
class KilledHolderTest {
  private static final Logger LOG = LoggerFactory.getLogger(KilledHolderTest.class);

  @TempDir Path folder;
  private final Map<String, Process> processes = new HashMap<>(); // by node
  private EtcdServer etcd;
  private EtcdStore direct;
  private ManagerIdentities identities;
  private ProcessHost observer; // a process without loops

  @BeforeEach
  void start() throws Exception {
    etcd = EtcdServer.start();
    direct = EtcdStore.open(EtcdConfig.of(List.of(etcd.endpoint())), (name, body) -> Thread.ofPlatform().daemon().name(name).start(body));
    identities = new ManagerIdentities(folder, direct);
    for (String node : List.of("n1", "n2", "n3")) {
      processes.put(node, child(identities.manager(node)));
    }
    observer = HostBuilder.named("observer").data(folder.resolve("observer")).onFatal((what, cause) -> {
      throw new AssertionError(what, cause);
    }).startProcess("etcd://" + etcd.endpoint());
  }

  private Process child(Path data) throws IOException {
    return new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(), "--enable-native-access=ALL-UNNAMED", "-Xmx96m",
        "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), DeciderMain.class.getName(),
        data.toString(), "etcd://" + etcd.endpoint()).redirectErrorStream(true).redirectOutput(data.resolve("log").toFile()).start();
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

  /** The node whose process holds the loop. */
  private String holder() throws Exception {
    Deciding.holder(observer.view(), "tasks");
    return observer.view().state().value(Rows.LEADER.key("tasks")).getNodeId();
  }

  private void decided() throws Exception {
    Deciding.decidedOnce(observer.view(), identities.services());
  }

  private void signal(String which, Process process) throws Exception {
    assertThat(new ProcessBuilder("kill", which, Long.toString(process.pid())).inheritIO().start().waitFor()).isZero();
  }

  @Test
  void anotherDecidesAndNothingIsDecidedTwice() throws Exception {
    identities.service();
    decided();
    String killed = holder();
    long began = System.nanoTime();
    processes.remove(killed).destroyForcibly().onExit().join();
    identities.service();
    decided();
    LOG.info("decided again {} ms after the holder was killed", (System.nanoTime() - began) / 1_000_000);

    String stopped = holder();
    assertThat(stopped).isNotEqualTo(killed);
    began = System.nanoTime();
    signal("-STOP", processes.get(stopped));
    identities.service();
    decided();
    LOG.info("decided again {} ms after the holder was stopped", (System.nanoTime() - began) / 1_000_000);
    signal("-CONT", processes.get(stopped));
    for (int i = 0; i < 5; i++) {
      identities.service();
      decided();
    }
  }
}
