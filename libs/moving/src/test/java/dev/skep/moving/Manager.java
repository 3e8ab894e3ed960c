package dev.skep.moving;

import dev.skep.backend.Backends;
import dev.skep.backend.Store;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Transaction;
import dev.skep.moving.core.Copy;
import dev.skep.moving.shell.Moving;
import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.host.CommandThreads;
import dev.skep.runtime.host.FileMembership;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.SealedRow;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A machine that is the manager of a generated cluster, with its key. */
final class Manager implements AutoCloseable {
  static final String SECRET = "the key of the root";

  private final CommandThreads threads = new CommandThreads();
  final Path data;
  final Path file;
  ClusterKey key;

  Manager(Path folder) throws IOException {
    data = folder.resolve("data");
    file = folder.resolve("cluster.backup");
    Files.createDirectories(data);
    become(new Identity(Generated.CLUSTER, Generated.NODE, true, "10.0.0.1", "10.0.0.1", "0.0.0.0:2377", List.of("10.0.0.1:2377")));
    key = ClusterKey.create(data.resolve("identity"), new SecureRandom());
  }

  void become(Identity identity) {
    new FileMembership(data).become(identity);
  }

  Path store() {
    return data.resolve("store");
  }

  /** The commands, as they are told with these settings. */
  Moving moving(String... more) {
    List<String> flags = new ArrayList<>(List.of("--data=" + data, "--file=" + file));
    flags.addAll(List.of(more));
    Clock clock = Clock.fixed(Generated.NOW, ZoneOffset.UTC);
    return new Moving(MovingSettings.from(Settings.load(Optional.empty(), Map.of(), flags)), threads::start, clock);
  }

  Store open(String uri) {
    return Backends.store(uri, threads::start);
  }

  Store open(Path folder) {
    return open("embedded:" + folder);
  }

  /** A cluster whose secrets are sealed with this machine's key, written one object at a time. */
  void found(Store store, long seed) {
    for (Stored row : Generated.rows(Generated.state(seed)).stream().sorted(Comparator.comparingLong(Stored::createRevision)).toList()) {
      put(store, row.path(), row.value());
    }
    NodeSpecRow.Builder node = NodeSpecRow.newBuilder().setId(Generated.NODE);
    node.getSpecBuilder().setRole("manager");
    put(store, Rows.NODE_SPEC.key(Generated.NODE).path(), node.build().toByteArray());
    SealedRow sealed = key.seal(SealedRows.authorityKey(), SECRET.getBytes(StandardCharsets.UTF_8), new SecureRandom());
    put(store, SealedRows.authorityKey().path(), sealed.toByteArray());
  }

  void found(long seed) {
    try (Store store = open(store())) {
      found(store, seed);
    }
  }

  static void put(Store store, String path, byte[] value) {
    store.commit(new Transaction(List.of(), List.of(new Operation.Put(path, value))));
  }

  static void put(Store store, List<Stored> rows) {
    store.commit(new Transaction(List.of(), rows.stream().<Operation>map(row -> new Operation.Put(row.path(), row.value())).toList()));
  }

  Copy contents(Path store) {
    return contents("embedded:" + store);
  }

  Copy contents(String uri) {
    try (Store opened = open(uri)) {
      return copy(opened.read(""));
    }
  }

  static Copy copy(Store.Snapshot snapshot) {
    return Generated.good(Copy.of(snapshot.revision(), snapshot.entries().stream()
        .map(entry -> new Stored(entry.key(), entry.value(), entry.createRevision(), entry.modRevision())).toList(), Generated.NOW));
  }

  @Override
  public void close() {
    threads.close();
  }
}
