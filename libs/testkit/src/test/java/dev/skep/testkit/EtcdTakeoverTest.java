package dev.skep.testkit;

import dev.skep.backend.etcd.EtcdConfig;
import dev.skep.backend.etcd.EtcdStore;
import dev.skep.testkit.etcd.EtcdServer;
import dev.skep.testkit.net.TcpGate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The same on a real etcd: its leases run out, its watches go on, and it may be away itself. */
@Tag("engine")
@Timeout(180)
class EtcdTakeoverTest {
  @TempDir Path folder;
  private final List<TcpGate> gates = new ArrayList<>();
  private EtcdServer etcd;
  private EtcdStore direct;
  private ThreeManagers three;

  @BeforeEach
  void start() throws Exception {
    etcd = EtcdServer.start();
    direct = EtcdStore.open(EtcdConfig.of(List.of(etcd.endpoint())), (name, body) -> Thread.ofPlatform().daemon().name(name).start(body));
    List<ThreeManagers.Opening> openings = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      TcpGate gate = TcpGate.to(etcd.port());
      gates.add(gate);
      openings.add(builder -> builder.startProcess("etcd://127.0.0.1:" + gate.port()));
    }
    three = new ThreeManagers(folder, direct, openings);
  }

  @AfterEach
  void end() throws IOException {
    if (three != null) {
      three.close();
    }
    for (TcpGate gate : gates) {
      gate.close();
    }
    if (direct != null) {
      direct.close();
    }
    etcd.close();
  }

  @Test
  void aHolderThatIsCutOffLosesItsLoopsAndComesBack() throws Exception {
    three.service();
    ThreeManagers.Manager holder = three.holder("tasks");
    three.decidedOnce(three.other(holder));
    int which = three.managers.indexOf(holder);
    int port = gates.get(which).port();
    gates.get(which).close(); // its door stays open: only the lease tells
    three.service();
    three.decidedOnce(three.other(holder));
    gates.set(which, TcpGate.to(port, etcd.port()));
    three.service();
    three.decidedOnce(holder);
  }

  @Test
  void anOrderlyEndHandsTheLoopsOver() throws Exception {
    ThreeManagers.Manager holder = three.holder("tasks");
    holder.host.close();
    three.service();
    three.decidedOnce(three.other(holder));
  }

  @Test
  void anEtcdThatEndsAndComesBackIsWaitedFor() throws Exception {
    three.service();
    three.decidedOnce(three.other(three.holder("tasks")));
    etcd.kill();
    etcd.begin();
    etcd.awaitHealthy();
    three.service();
    for (ThreeManagers.Manager manager : three.managers) {
      three.decidedOnce(manager);
    }
  }
}
