package dev.skep.moving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Backends;
import dev.skep.backend.LogWriter;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.moving.core.Copy;
import dev.skep.moving.shell.Refusal;
import dev.skep.runtime.config.AccessSettings;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.testkit.secured.SecuredServers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A cluster moves to an etcd and a Kafka that know everybody by name: its manager goes on there as its own user. */
@Tag("engine")
@Tag("slow")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
final class SecuredMovingTest {
  @TempDir Path folder;

  @Test
  void whoMovesGetsItsOwnUser() throws Exception {
    try (SecuredServers servers = SecuredServers.start(folder.resolve("tls"), true); Manager manager = new Manager(folder)) {
      manager.found(21);
      Copy before = manager.contents(manager.store());
      List<String> given = new ArrayList<>(servers.administrator());
      given.removeIf(flag -> flag.startsWith("--store="));
      given.add("--to=" + servers.store());
      String[] move = given.toArray(String[]::new);

      given.removeIf(flag -> flag.startsWith("--client-ca") || flag.startsWith("--store.certificate") || flag.startsWith("--store.key") || flag.startsWith("--to="));
      given.add("--to=etcd://" + servers.etcd().endpoint()); // without the others' patience: it is used up
      assertThatThrownBy(() -> manager.moving(given.toArray(String[]::new)).migrate()).as("without a certificate").isInstanceOf(StoreException.class)
          .hasMessageContaining("store.certificate");
      assertThat(Files.exists(manager.store())).isTrue();

      assertThat(manager.moving(move).migrate()).contains("moved to " + servers.store());
      Path identity = manager.data.resolve("identity");
      StoreAccess own = StoreAccess.read(identity).orElseThrow();
      assertThat(own.user("store").orElseThrow()).startsWith("skep.").endsWith("." + Generated.NODE).isEqualTo(own.user("log").orElseThrow());
      try (Store store = Backends.store(own.store(), AccessSettings.from(Settings.none(), "store", Optional.of(identity)), (_, body) -> Thread.startVirtualThread(body));
          LogWriter relay = Backends.writer(own.log(), AccessSettings.from(Settings.none(), "log", Optional.of(identity)))) {
        assertThat(store.get(SealedRows.storeAdministrator().path())).as("who makes users for the next managers").isPresent();
        assertThat(store.read("").entries()).hasSize(before.rows().size() + 1);
        relay.claim("e");
      }
      assertThat(manager.moving("--to=" + servers.store()).migrate()).contains("already");
    }
  }

  @Test
  void aStoreOfOthersStaysOpenToThem() throws Exception {
    try (SecuredServers servers = SecuredServers.start(folder.resolve("tls")); Manager manager = new Manager(folder)) {
      manager.found(22);
      try (Store others = Backends.store(servers.store(), servers.storeRoot(), (_, body) -> Thread.startVirtualThread(body))) {
        Manager.put(others, "registry/pods/x", new byte[] {1});
      }
      List<String> given = new ArrayList<>(servers.administrator());
      given.removeIf(flag -> flag.startsWith("--store="));
      given.add("--to=" + servers.store());
      assertThatThrownBy(() -> manager.moving(given.toArray(String[]::new)).migrate()).isInstanceOf(Refusal.class).hasMessageContaining("registry/pods/x");
      try (var users = Backends.users(servers.store(), servers.as("root", "another"))) {
        users.prepare(); // nobody turned users on: the first one is made now
      }
    }
  }
}
