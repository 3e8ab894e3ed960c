package dev.skep.moving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Store;
import dev.skep.moving.core.Copy;
import dev.skep.moving.core.Filling;
import dev.skep.moving.shell.Refusal;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.state.ClusterState;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.testkit.etcd.EtcdServer;
import dev.skep.testkit.kafka.KafkaServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same between an embedded store and a real etcd. */
@Tag("engine")
final class EtcdMovingTest {
  private static EtcdServer etcd;
  private static int clusters;
  @TempDir Path folder;
  private Manager manager;
  private String to;

  @BeforeAll
  static void startEtcd() throws IOException, InterruptedException {
    etcd = EtcdServer.start();
  }

  @AfterAll
  static void stopEtcd() {
    etcd.close();
  }

  @BeforeEach
  void machine() throws IOException {
    manager = new Manager(folder);
    to = address();
  }

  @AfterEach
  void end() {
    manager.close();
  }

  private static String address() {
    return "etcd://" + etcd.endpoint() + "/cluster" + ++clusters;
  }

  @Test
  void aClusterMovesToEtcdIsSavedThereAndComesBackAnywhere() throws Exception {
    manager.found(11);
    Copy before = manager.contents(manager.store());
    assertThatThrownBy(() -> manager.moving("--to=" + to, "--log=kafka://127.0.0.1:1").migrate()).isInstanceOf(Refusal.class)
        .hasMessageStartingWith("nothing was moved. The event log cannot be used");
    assertThat(Files.exists(manager.store())).isTrue();
    try (KafkaServer kafka = KafkaServer.start()) {
      assertThatThrownBy(() -> manager.moving("--to=" + to, "--log=kafka://" + kafka.address() + "?replication=3").migrate()).as("one broker")
          .isInstanceOf(Refusal.class).hasMessageStartingWith("nothing was moved");
      assertThat(manager.moving("--to=" + to, "--log=kafka://" + kafka.address()).migrate()).contains("moved to " + to);
    }
    Copy moved = manager.contents(to);
    assertThat(moved.digest()).isEqualTo(before.digest());
    assertThat(moved.cluster().getOrigin().getUnconfirmed()).isFalse();
    assertThat(manager.moving("--to=" + to).migrate()).contains("already");
    sameOrder(before.state(), moved.state());

    try (Store used = manager.open(to)) {
      StoreAccess.of(to, "kafka://unused").write(manager.data.resolve("identity")); // as of a host that joined as a manager
      assertThat(manager.moving().backup()).contains(before.rows().size() + " rows");
      assertThat(used.revision()).isPositive();
    }
    StoreAccess.erase(manager.data.resolve("identity"));
    String other = address();
    manager.moving("--store=" + other).restore();
    manager.moving().restore();
    for (String restored : List.of(other, "embedded:" + manager.store())) {
      Copy back = manager.contents(restored);
      assertThat(back.digest()).as(restored).isEqualTo(before.digest());
      assertThat(back.cluster().getOrigin().getUnconfirmed()).isTrue();
      assertThat(back.cluster().getOrigin().getEpoch()).isEqualTo(moved.cluster().getEpoch());
    }
    assertThatThrownBy(() -> manager.moving("--store=" + to).restore()).isInstanceOf(Refusal.class).hasMessageContaining("Move it away");
  }

  /** Whatever was created before something else still is. */
  private static void sameOrder(ClusterState before, ClusterState after) {
    for (Row<TaskIntentRow> one : before.rows(Rows.INTENT)) {
      for (Row<TaskIntentRow> other : before.rows(Rows.INTENT)) {
        if (one.createRevision() < other.createRevision()) {
          assertThat(after.row(one.key()).createRevision()).isLessThanOrEqualTo(after.row(other.key()).createRevision());
        }
      }
    }
  }

  @Test
  void aMoveThatWasKilledIsFinishedByTheNext() throws Exception {
    manager.found(12);
    Copy before = manager.contents(manager.store());
    List<List<Stored>> steps = Filling.steps(before);
    try (Store half = manager.open(to)) {
      Manager.put(half, steps.getFirst());
      Manager.put(half, Rows.NODE_SPEC.key("of-an-older-try").path(), new byte[0]);
    }
    manager.moving("--to=" + to).migrate();
    assertThat(manager.contents(to).digest()).isEqualTo(before.digest());
    assertThat(Files.exists(manager.store())).isFalse();
  }

  @Test
  void aUserWhoMayNotSeeWhatIsSealedSavesNothing() throws Exception {
    manager.found(14);
    manager.moving("--to=" + to).migrate();
    assertThatThrownBy(() -> manager.moving("--store=" + to + "?sealed=hidden").backup()).isInstanceOf(Refusal.class).hasMessageContaining("sealed rows");
    assertThat(Files.exists(manager.file)).isFalse();
  }

  @Test
  void whatIsNothingOfSkepsIsLeftAlone() {
    manager.found(13);
    try (Store others = manager.open(to)) {
      Manager.put(others, "registry/pods/x", new byte[] {1});
    }
    assertThatThrownBy(() -> manager.moving("--to=" + to).migrate()).isInstanceOf(Refusal.class).hasMessageContaining("registry/pods/x");
    assertThat(Files.exists(manager.store())).isTrue();
  }
}
