package dev.skep.moving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Store;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Transaction;
import dev.skep.backend.StoreException;
import dev.skep.backend.embedded.SqliteStore;
import dev.skep.moving.core.Copy;
import dev.skep.moving.core.Filling;
import dev.skep.moving.shell.Moving;
import dev.skep.moving.shell.Refusal;
import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.host.CommandThreads;
import dev.skep.runtime.host.FileMembership;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.state.ClusterState;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.SealedRow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands, on embedded stores. */
final class MovingTest {
  @TempDir Path folder;
  private final CommandThreads threads = new CommandThreads();
  private Path data;
  private Path file;
  private ClusterKey key;

  @BeforeEach
  void machine() throws IOException {
    data = folder.resolve("data");
    file = folder.resolve("cluster.backup");
    Files.createDirectories(data);
    new FileMembership(data).become(new Identity(Generated.CLUSTER, Generated.NODE, true, "10.0.0.1", "10.0.0.1", "0.0.0.0:2377", List.of("10.0.0.1:2377")));
    key = ClusterKey.create(data.resolve("identity"), new SecureRandom());
  }

  @AfterEach
  void end() {
    threads.close();
  }

  private Moving moving(String... more) {
    List<String> flags = new ArrayList<>(List.of("--data=" + data, "--file=" + file));
    flags.addAll(List.of(more));
    Clock clock = Clock.fixed(Generated.NOW, ZoneOffset.UTC);
    return new Moving(MovingSettings.from(Settings.load(Optional.empty(), Map.of(), flags)), threads::start, clock);
  }

  private SqliteStore open(Path store) {
    return SqliteStore.open(store, threads::start);
  }

  private Path store() {
    return data.resolve("store");
  }

  /** A cluster whose secrets are sealed with this machine's key, written one object at a time. */
  private void found(Store store, long seed) {
    for (Stored row : Generated.rows(Generated.state(seed)).stream().sorted(java.util.Comparator.comparingLong(Stored::createRevision)).toList()) {
      put(store, row.path(), row.value());
    }
    NodeSpecRow.Builder node = NodeSpecRow.newBuilder().setId(Generated.NODE);
    node.getSpecBuilder().setRole("manager");
    put(store, Rows.NODE_SPEC.key(Generated.NODE).path(), node.build().toByteArray());
    SealedRow sealed = key.seal(SealedRows.authorityKey(), "the key".getBytes(java.nio.charset.StandardCharsets.UTF_8), new SecureRandom());
    put(store, SealedRows.authorityKey().path(), sealed.toByteArray());
  }

  private static void put(Store store, String path, byte[] value) {
    store.commit(new Transaction(List.of(), List.of(new Operation.Put(path, value))));
  }

  private void found(long seed) {
    try (Store store = open(store())) {
      found(store, seed);
    }
  }

  private Copy contents(Path store) {
    try (Store opened = open(store)) {
      return copy(opened.read(""));
    }
  }

  private static Copy copy(Store.Snapshot snapshot) {
    return Generated.good(Copy.of(snapshot.revision(), snapshot.entries().stream()
        .map(entry -> new Stored(entry.key(), entry.value(), entry.createRevision(), entry.modRevision())).toList(), Generated.NOW));
  }

  private void loseTheStore() throws IOException {
    Files.move(store(), folder.resolve("lost"));
  }

  @Test
  void aClusterComesBackFromItsFile() throws Exception {
    for (long seed = 1; seed <= 5; seed++) {
      found(seed);
      Copy before = contents(store());
      assertThat(moving().backup()).contains(before.rows().size() + " rows");
      Files.move(store(), folder.resolve("lost" + seed));
      assertThat(moving().restore()).contains("restore --confirm");
      Copy after = contents(store());
      assertThat(after.digest()).as("seed %d", seed).isEqualTo(before.digest());
      ClusterRow cluster = after.cluster();
      assertThat(cluster.getEpoch()).isNotEqualTo(before.cluster().getEpoch()).isNotEmpty();
      assertThat(cluster.getOrigin().getUnconfirmed()).isTrue();
      assertThat(cluster.getOrigin().getEpoch()).isEqualTo(before.cluster().getEpoch());
      assertThat(cluster.toBuilder().clearEpoch().clearOrigin().build()).isEqualTo(before.cluster().toBuilder().clearEpoch().clearOrigin().build());
      ClusterState state = after.state();
      assertThat(key.open(SealedRows.authorityKey(), state.value(SealedRows.authorityKey()))).asString().isEqualTo("the key");
      Files.move(store(), folder.resolve("restored" + seed));
    }
  }

  @Test
  void twoRestoresOfOneFileAreTwoLives() throws Exception {
    found(1);
    moving().backup();
    loseTheStore();
    moving().restore();
    String first = contents(store()).cluster().getEpoch();
    Files.move(store(), folder.resolve("lost again"));
    moving().restore();
    assertThat(contents(store()).cluster().getEpoch()).isNotEqualTo(first);
  }

  @Test
  void aBackupIsTakenBesideTheProcessThatOwnsTheStore() throws Exception {
    try (Store store = open(store())) {
      found(store, 2);
      Copy before = copy(store.read(""));
      moving().backup();
      put(store, Rows.NODE_SPEC.key("later").path(), NodeSpecRow.newBuilder().setId("later").build().toByteArray());
      assertThat(Generated.good(dev.skep.moving.core.BackupFormat.decode(Files.readAllBytes(file))).digest()).isEqualTo(before.digest());
      moving().backup(); // in place of the one before
      assertThat(Generated.good(dev.skep.moving.core.BackupFormat.decode(Files.readAllBytes(file))).state().has(Rows.NODE_SPEC.key("later"))).isTrue();
    }
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo("rw-------");
    assertThat(Files.readString(file, java.nio.charset.StandardCharsets.ISO_8859_1)).as("secrets stay sealed").doesNotContain("the key");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(Path::getFileName).map(Path::toString).toList()).containsExactlyInAnyOrder("data", "cluster.backup");
    }
  }

  @Test
  void nothingIsRestoredOverACluster() throws Exception {
    found(1);
    moving().backup();
    assertThatThrownBy(() -> moving().restore()).isInstanceOf(Refusal.class).hasMessageContaining("this cluster already").hasMessageContaining("Move it away");
    assertThat(contents(store()).cluster().hasOrigin()).isFalse();
  }

  @Test
  void aRunningDaemonIsInTheWayOfRestoreAndMigrate() throws Exception {
    found(1);
    moving().backup();
    try (Store running = open(store())) {
      assertThat(running.revision()).isPositive();
      assertThatThrownBy(() -> moving().restore()).isInstanceOf(StoreException.class).hasMessageContaining("in use by process");
      assertThatThrownBy(() -> moving("--to=embedded:" + folder.resolve("new")).migrate()).isInstanceOf(StoreException.class).hasMessageContaining("in use by");
    }
  }

  @Test
  void aRestoreThatWasCutShortIsRunAgain() throws Exception {
    found(4);
    Copy before = contents(store());
    moving().backup();
    loseTheStore();
    List<List<Stored>> steps = Filling.steps(before);
    for (int done = 0; done <= steps.size(); done++) {
      try (Store half = open(store())) {
        for (List<Stored> step : steps.subList(0, done)) {
          half.commit(new Transaction(List.of(), step.stream().<Operation>map(row -> new Operation.Put(row.path(), row.value())).toList()));
        }
        put(half, Rows.NODE_SPEC.key("of-an-older-try").path(), new byte[0]);
      }
      moving().restore();
      assertThat(contents(store()).digest()).as("cut short after %d of %d steps", done, steps.size()).isEqualTo(before.digest());
      Files.move(store(), folder.resolve("lost" + done));
    }
  }

  @Test
  void onlyAManagerOfThatClusterWithItsKeyCanRestore() throws Exception {
    found(1);
    moving().backup();
    loseTheStore();
    key = ClusterKey.create(data.resolve("identity"), new SecureRandom());
    assertThatThrownBy(() -> moving().restore()).isInstanceOf(Refusal.class).hasMessageContaining("not the key");
    ClusterKey.erase(data.resolve("identity"));
    assertThatThrownBy(() -> moving().restore()).isInstanceOf(Refusal.class).hasMessageContaining("key cannot be read");
    new FileMembership(data).become(new Identity("other", Generated.NODE, true, "10.0.0.1", "", "", List.of()));
    assertThatThrownBy(() -> moving().restore()).isInstanceOf(Refusal.class).hasMessageContaining("a node of cluster other");
    new FileMembership(data).become(new Identity(Generated.CLUSTER, "newer", true, "10.0.0.1", "", "", List.of()));
    assertThatThrownBy(() -> moving().restore()).isInstanceOf(Refusal.class).hasMessageContaining("does not know this machine");
    new FileMembership(data).leave();
    assertThatThrownBy(() -> moving().restore()).isInstanceOf(Refusal.class).hasMessageContaining("in no cluster");
    assertThat(Files.exists(store())).as("nothing was begun").isFalse();
  }

  @Test
  void aDamagedFileIsRefusedByName() throws Exception {
    found(1);
    moving().backup();
    loseTheStore();
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
    assertThatThrownBy(() -> moving().restore()).isInstanceOf(Refusal.class).hasMessageContaining(file.toString()).hasMessageContaining("damaged");
    Files.delete(file);
    assertThatThrownBy(() -> moving().restore()).isInstanceOf(Refusal.class).hasMessageContaining("cannot read");
  }

  @Test
  void withoutAStoreThereIsNothingToSave() {
    assertThatThrownBy(() -> moving().backup()).isInstanceOf(StoreException.class).hasMessageContaining("there is no store");
    open(store()).close();
    assertThatThrownBy(() -> moving().backup()).isInstanceOf(Refusal.class).hasMessageContaining("no cluster");
    assertThat(Files.exists(file)).isFalse();
  }

  @Test
  void aClusterMovesOnceHoweverOftenItIsTold() throws Exception {
    found(6);
    Copy before = contents(store());
    Path target = folder.resolve("target");
    String to = "--to=embedded:" + target;
    assertThat(moving(to).migrate()).contains("moved to");
    Copy after = contents(target);
    assertThat(after.digest()).isEqualTo(before.digest());
    assertThat(after.cluster().getEpoch()).isNotEqualTo(before.cluster().getEpoch());
    assertThat(after.cluster().getOrigin().getUnconfirmed()).as("nothing is older than before").isFalse();
    assertThat(Files.exists(store())).as("nobody starts the old store by accident").isFalse();
    assertThat(contents(data.resolve("store.moved")).digest()).isEqualTo(before.digest());
    assertThat(moving(to).migrate()).contains("is at embedded:" + target + " already");
    assertThat(contents(target).cluster()).isEqualTo(after.cluster());
  }

  @Test
  void aMoveThatWasKilledIsFinishedByTheNext() throws Exception {
    found(7);
    Copy before = contents(store());
    Path target = folder.resolve("target");
    try (Store half = open(target)) {
      half.commit(new Transaction(List.of(), Filling.steps(before).getFirst().stream().<Operation>map(row -> new Operation.Put(row.path(), row.value())).toList()));
    }
    moving("--to=embedded:" + target).migrate();
    Copy after = contents(target);
    assertThat(after.digest()).isEqualTo(before.digest());
    // copied, and killed before the old store was put aside
    Files.move(data.resolve("store.moved"), store());
    moving("--to=embedded:" + target).migrate();
    assertThat(contents(target).cluster()).as("not copied twice").isEqualTo(after.cluster());
    assertThat(Files.exists(store())).isFalse();
  }

  @Test
  void aStoreThatWentOnAfterItsMoveIsNotMovedOverTheNewOne() throws Exception {
    found(8);
    Path target = folder.resolve("target");
    moving("--to=embedded:" + target).migrate();
    Files.move(data.resolve("store.moved"), store());
    try (Store went = open(store())) {
      put(went, Rows.NODE_SPEC.key("later").path(), NodeSpecRow.newBuilder().setId("later").build().toByteArray());
    }
    assertThatThrownBy(() -> moving("--to=embedded:" + target).migrate()).isInstanceOf(Refusal.class).hasMessageContaining("another state");
    assertThat(Files.exists(store())).isTrue();
  }
}
