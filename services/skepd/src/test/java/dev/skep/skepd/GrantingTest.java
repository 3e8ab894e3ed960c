package dev.skep.skepd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Access;
import dev.skep.backend.Backends;
import dev.skep.backend.LogEntry;
import dev.skep.backend.LogHistory;
import dev.skep.backend.LogWriter;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.runtime.config.AccessSettings;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.state.Rows;
import dev.skep.state.StoreRole;
import dev.skep.testkit.secured.SecuredServers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code skep admin}: from bare servers to services with users of their own, on a real etcd and a real Kafka. */
@Tag("engine")
@Tag("slow")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class GrantingTest {
  @TempDir Path folder;

  private static Settings said(List<String> flags, String... more) {
    List<String> all = new ArrayList<>(flags);
    all.addAll(List.of(more));
    return Settings.load(Optional.empty(), Map.of(), all);
  }

  /** As a process of this service, or of skepd, reads it. */
  private static StoreAccess access(Path identity, String service) {
    return StoreAccess.read(StoreAccess.folder(identity, service)).orElseThrow();
  }

  private static Access of(Path identity, String service, String scope) {
    return AccessSettings.from(Settings.none(), scope, Optional.of(StoreAccess.folder(identity, service)));
  }

  private static Store store(Path identity, String service) {
    return Backends.store(access(identity, service).store(), of(identity, service, "store"), (_, body) -> Thread.ofPlatform().daemon().start(body));
  }

  private static LogWriter writer(Path identity, String service) {
    return Backends.writer(access(identity, service).log(), of(identity, service, "log"));
  }

  private static Store.Transaction put(String path) {
    return new Store.Transaction(List.of(), List.of(new Store.Operation.Put(path, new byte[0])));
  }

  @Test
  void theFirstManagerIsMadeBeforeItsServices() throws Exception {
    try (SecuredServers servers = SecuredServers.start(folder.resolve("tls"))) {
      Path identity = folder.resolve("identity");
      String[] init = {"--identity=" + identity, "--data=" + folder.resolve("data"), "--advertise-addr=127.0.0.1", "--listen=127.0.0.1:0"};
      AdminMain.init(said(servers.administrator(), init));
      assertThat(Files.readString(identity.resolve("store.properties"))).doesNotContain("user").doesNotContain("password");
      for (StoreRole role : StoreRole.values()) {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(identity.resolve(role.service() + "/store.properties")))).isEqualTo("rw-------");
      }
      try (Store scheduler = store(identity, "scheduler"); Store dispatcher = store(identity, "dispatcher")) {
        assertThat(scheduler.commit(put(Rows.PLACEMENT.key("t").path()))).isInstanceOf(Store.Outcome.Committed.class);
        assertThatThrownBy(() -> scheduler.commit(put(Rows.INTENT.key("t").path()))).isInstanceOf(StoreException.class).hasMessageContaining("skep admin grant");
        assertThat(keys(scheduler)).noneMatch(key -> key.startsWith("sealed/"));
        assertThat(keys(dispatcher)).anyMatch(key -> key.startsWith("sealed/"));
      }
      try (LogWriter relay = writer(identity, "relay"); LogWriter scheduler = writer(identity, "scheduler");
          LogHistory reading = Backends.history(access(identity, "scheduler").log(), of(identity, "scheduler", "log"))) {
        relay.claim("e");
        relay.append(List.of(new LogEntry.Reset("e", 7, 0, LogEntry.Reason.FIRST), new LogEntry.Snapshot("e", 7, 0, true, List.of())));
        assertThat(end(reading, 7)).isEqualTo(7);
        assertThatThrownBy(() -> scheduler.claim("e")).isInstanceOfSatisfying(StoreException.class, e -> assertThat(e.denied()).isTrue())
            .hasMessageContaining("skep admin grant");
      }

      String before = Files.readString(identity.resolve("relay/store.properties"));
      AdminMain.init(said(servers.administrator(), init));
      assertThat(Files.readString(identity.resolve("relay/store.properties"))).as("run again it does nothing").isEqualTo(before);

      Path other = folder.resolve("other");
      AdminMain.grant(said(servers.administrator(), "--identity=" + identity, "--node=n2", "--out=" + other));
      try (Store second = store(other, ""); Store first = store(identity, "scheduler")) {
        assertThat(second.commit(put(Rows.INTENT.key("t").path()))).isInstanceOf(Store.Outcome.Committed.class);
        try (LogWriter relay = writer(other, "")) {
          assertThat(relay.claim("e").revision()).isEqualTo(7);
          AdminMain.revoke(said(servers.administrator(), "--identity=" + identity, "--node=n2"));
          assertThatThrownBy(() -> second.read("")).as("at once, with the token that it has").isInstanceOfSatisfying(StoreException.class,
              e -> assertThat(e.denied()).isTrue());
          assertThatThrownBy(() -> relay.append(List.of(new LogEntry.Changes("e", 8, 7, List.of())))).as("over the connection that it has")
              .isInstanceOf(StoreException.class);
        }
        assertThat(first.commit(put(Rows.PLACEMENT.key("u").path()))).isInstanceOf(Store.Outcome.Committed.class);
      }
    }
  }

  /** Kafka shows readers a moment later what it has acknowledged as committed. */
  private static long end(LogHistory reading, long wanted) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    long end = reading.end();
    while (end != wanted && System.nanoTime() < deadline) {
      end = reading.end();
    }
    return end;
  }

  private static List<String> keys(Store store) {
    return store.read("").entries().stream().map(Store.Entry::key).toList();
  }
}
