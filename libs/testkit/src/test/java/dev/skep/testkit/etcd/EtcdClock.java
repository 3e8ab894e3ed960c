package dev.skep.testkit.etcd;

import static dev.skep.testkit.etcd.Told.landed;
import static dev.skep.testkit.etcd.Told.putLeased;
import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Store;
import dev.skep.backend.etcd.EtcdConfig;
import dev.skep.backend.etcd.EtcdStore;
import dev.skep.testkit.net.TcpGate;
import java.time.Duration;
import java.util.List;

/** Time as etcd counts it. */
final class EtcdClock {
  private EtcdClock() {}

  /** Lets so many seconds pass: a lease that nobody can keep alive runs out. */
  static void untilALeaseRanOut(EtcdServer etcd, int seconds) throws Exception {
    TcpGate gate = TcpGate.to(etcd.port());
    try (EtcdStore cut = EtcdStore.open(EtcdConfig.of(List.of("127.0.0.1:" + gate.port())), Told::start);
        EtcdStore store = EtcdStore.open(EtcdConfig.of(List.of(etcd.endpoint())), Told::start)) {
      Store.Lease lease = cut.lease(Duration.ofSeconds(seconds));
      long from = landed(cut.commit(putLeased("clock", "1", lease)));
      gate.close();
      Told gone = new Told();
      try (Store.Watch watch = store.watch("clock", from + 1, gone)) {
        assertThat(watch).isNotNull();
        assertThat(gone.changes()).isEqualTo(1);
      }
      assertThat(lease.alive()).as("a lease whose key etcd has deleted").isFalse();
    } finally {
      gate.close();
    }
  }
}
