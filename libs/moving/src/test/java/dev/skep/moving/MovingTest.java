package dev.skep.moving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.moving.core.Copy;
import dev.skep.moving.core.Filling;
import dev.skep.moving.shell.Refusal;
import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.host.FileMembership;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.state.ClusterState;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeSpecRow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands, on embedded stores. */
final class MovingTest {
  @TempDir Path folder;
  private Manager manager;

  @BeforeEach
  void machine() throws IOException {
    manager = new Manager(folder);
  }

  @AfterEach
  void end() {
    manager.close();
  }

  private void loseTheStore() throws IOException {
    Files.move(manager.store(), folder.resolve("lost"));
  }

  @Test
  void aClusterComesBackFromItsFile() throws Exception {
    for (long seed = 1; seed <= 5; seed++) {
      manager.found(seed);
      Copy before = manager.contents(manager.store());
      assertThat(manager.moving().backup()).contains(before.rows().size() + " rows");
      Files.move(manager.store(), folder.resolve("lost" + seed));
      assertThat(manager.moving().restore()).contains("restore --confirm");
      Copy after = manager.contents(manager.store());
      assertThat(after.digest()).as("seed %d", seed).isEqualTo(before.digest());
      ClusterRow cluster = after.cluster();
      assertThat(cluster.getEpoch()).isNotEqualTo(before.cluster().getEpoch()).isNotEmpty();
      assertThat(cluster.getOrigin().getUnconfirmed()).isTrue();
      assertThat(cluster.getOrigin().getEpoch()).isEqualTo(before.cluster().getEpoch());
      assertThat(cluster.toBuilder().clearEpoch().clearOrigin().build()).isEqualTo(before.cluster().toBuilder().clearEpoch().clearOrigin().build());
      ClusterState state = after.state();
      assertThat(manager.key.open(SealedRows.authorityKey(), state.value(SealedRows.authorityKey()))).asString().isEqualTo(Manager.SECRET);
      Files.move(manager.store(), folder.resolve("restored" + seed));
    }
  }

  @Test
  void twoRestoresOfOneFileAreTwoLives() throws Exception {
    manager.found(1);
    manager.moving().backup();
    loseTheStore();
    manager.moving().restore();
    String first = manager.contents(manager.store()).cluster().getEpoch();
    Files.move(manager.store(), folder.resolve("lost again"));
    manager.moving().restore();
    assertThat(manager.contents(manager.store()).cluster().getEpoch()).isNotEqualTo(first);
  }

  @Test
  void aBackupIsTakenBesideTheProcessThatOwnsTheStore() throws Exception {
    try (Store store = manager.open(manager.store())) {
      manager.found(store, 2);
      Copy before = Manager.copy(store.read(""));
      manager.moving().backup();
      Manager.put(store, Rows.NODE_SPEC.key("later").path(), NodeSpecRow.newBuilder().setId("later").build().toByteArray());
      assertThat(Generated.good(dev.skep.moving.core.BackupFormat.decode(Files.readAllBytes(manager.file))).digest()).isEqualTo(before.digest());
      manager.moving().backup(); // in place of the one before
      assertThat(Generated.good(dev.skep.moving.core.BackupFormat.decode(Files.readAllBytes(manager.file))).state().has(Rows.NODE_SPEC.key("later"))).isTrue();
    }
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(manager.file))).isEqualTo("rw-------");
    assertThat(Files.readString(manager.file, java.nio.charset.StandardCharsets.ISO_8859_1)).as("secrets stay sealed").doesNotContain(Manager.SECRET);
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(Path::getFileName).map(Path::toString).toList()).containsExactlyInAnyOrder("data", "cluster.backup");
    }
  }

  @Test
  void nothingIsRestoredOverACluster() throws Exception {
    manager.found(1);
    manager.moving().backup();
    assertThatThrownBy(() -> manager.moving().restore()).isInstanceOf(Refusal.class).hasMessageContaining("this cluster already").hasMessageContaining("Move it away");
    assertThat(manager.contents(manager.store()).cluster().hasOrigin()).isFalse();
  }

  @Test
  void aRunningDaemonIsInTheWayOfRestoreAndMigrate() throws Exception {
    manager.found(1);
    manager.moving().backup();
    try (Store running = manager.open(manager.store())) {
      assertThat(running.revision()).isPositive();
      assertThatThrownBy(() -> manager.moving().restore()).isInstanceOf(StoreException.class).hasMessageContaining("in use by process");
      assertThatThrownBy(() -> manager.moving("--to=embedded:" + folder.resolve("new")).migrate()).isInstanceOf(StoreException.class).hasMessageContaining("in use by");
    }
  }

  @Test
  void aRestoreThatWasCutShortIsRunAgain() throws Exception {
    manager.found(4);
    Copy before = manager.contents(manager.store());
    manager.moving().backup();
    loseTheStore();
    List<List<Stored>> steps = Filling.steps(before);
    for (int done = 0; done <= steps.size(); done++) {
      try (Store half = manager.open(manager.store())) {
        for (List<Stored> step : steps.subList(0, done)) {
          Manager.put(half, step);
        }
        Manager.put(half, Rows.NODE_SPEC.key("of-an-older-try").path(), new byte[0]);
      }
      manager.moving().restore();
      assertThat(manager.contents(manager.store()).digest()).as("cut short after %d of %d steps", done, steps.size()).isEqualTo(before.digest());
      Files.move(manager.store(), folder.resolve("lost" + done));
    }
  }

  @Test
  void onlyAManagerOfThatClusterWithItsKeyCanRestore() throws Exception {
    manager.found(1);
    manager.moving().backup();
    loseTheStore();
    manager.key = ClusterKey.create(manager.data.resolve("identity"), new SecureRandom());
    assertThatThrownBy(() -> manager.moving().restore()).isInstanceOf(Refusal.class).hasMessageContaining("not the key");
    ClusterKey.erase(manager.data.resolve("identity"));
    assertThatThrownBy(() -> manager.moving().restore()).isInstanceOf(Refusal.class).hasMessageContaining("key cannot be read");
    manager.become(new Identity("other", Generated.NODE, true, "10.0.0.1", "", "", List.of()));
    assertThatThrownBy(() -> manager.moving().restore()).isInstanceOf(Refusal.class).hasMessageContaining("a node of cluster other");
    manager.become(new Identity(Generated.CLUSTER, "newer", true, "10.0.0.1", "", "", List.of()));
    assertThatThrownBy(() -> manager.moving().restore()).isInstanceOf(Refusal.class).hasMessageContaining("does not know this machine");
    new FileMembership(manager.data).leave();
    assertThatThrownBy(() -> manager.moving().restore()).isInstanceOf(Refusal.class).hasMessageContaining("in no cluster");
    assertThat(Files.exists(manager.store())).as("nothing was begun").isFalse();
  }

  @Test
  void aDamagedFileIsRefusedByName() throws Exception {
    manager.found(1);
    manager.moving().backup();
    loseTheStore();
    byte[] bytes = Files.readAllBytes(manager.file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(manager.file, bytes);
    assertThatThrownBy(() -> manager.moving().restore()).isInstanceOf(Refusal.class).hasMessageContaining(manager.file.toString()).hasMessageContaining("damaged");
    Files.delete(manager.file);
    assertThatThrownBy(() -> manager.moving().restore()).isInstanceOf(Refusal.class).hasMessageContaining("cannot read");
  }

  @Test
  void withoutAStoreThereIsNothingToSave() {
    assertThatThrownBy(() -> manager.moving().backup()).isInstanceOf(StoreException.class).hasMessageContaining("there is no store");
    manager.open(manager.store()).close();
    assertThatThrownBy(() -> manager.moving().backup()).isInstanceOf(Refusal.class).hasMessageContaining("no cluster");
    assertThat(Files.exists(manager.file)).isFalse();
  }

  @Test
  void aClusterMovesOnceHoweverOftenItIsTold() throws Exception {
    manager.found(6);
    Copy before = manager.contents(manager.store());
    Path target = folder.resolve("target");
    String to = "--to=embedded:" + target;
    assertThat(manager.moving(to).migrate()).contains("moved to");
    Copy after = manager.contents(target);
    assertThat(after.digest()).isEqualTo(before.digest());
    assertThat(after.cluster().getEpoch()).isNotEqualTo(before.cluster().getEpoch());
    assertThat(after.cluster().getOrigin().getUnconfirmed()).as("nothing is older than before").isFalse();
    assertThat(Files.exists(manager.store())).as("nobody starts the old store by accident").isFalse();
    assertThat(manager.contents(manager.data.resolve("store.moved")).digest()).isEqualTo(before.digest());
    assertThat(manager.moving(to).migrate()).contains("is at embedded:" + target + " already");
    assertThat(manager.contents(target).cluster()).isEqualTo(after.cluster());
  }

  @Test
  void aMoveThatWasKilledIsFinishedByTheNext() throws Exception {
    manager.found(7);
    Copy before = manager.contents(manager.store());
    Path target = folder.resolve("target");
    try (Store half = manager.open(target)) {
      Manager.put(half, Filling.steps(before).getFirst());
    }
    manager.moving("--to=embedded:" + target).migrate();
    Copy after = manager.contents(target);
    assertThat(after.digest()).isEqualTo(before.digest());
    // copied, and killed before the old store was put aside
    Files.move(manager.data.resolve("store.moved"), manager.store());
    manager.moving("--to=embedded:" + target).migrate();
    assertThat(manager.contents(target).cluster()).as("not copied twice").isEqualTo(after.cluster());
    assertThat(Files.exists(manager.store())).isFalse();
  }

  @Test
  void aStoreThatWentOnAfterItsMoveIsNotMovedOverTheNewOne() throws Exception {
    manager.found(8);
    Path target = folder.resolve("target");
    manager.moving("--to=embedded:" + target).migrate();
    Files.move(manager.data.resolve("store.moved"), manager.store());
    try (Store went = manager.open(manager.store())) {
      Manager.put(went, Rows.NODE_SPEC.key("later").path(), NodeSpecRow.newBuilder().setId("later").build().toByteArray());
    }
    assertThatThrownBy(() -> manager.moving("--to=embedded:" + target).migrate()).isInstanceOf(Refusal.class).hasMessageContaining("another state");
    assertThat(Files.exists(manager.store())).isTrue();
  }
}
