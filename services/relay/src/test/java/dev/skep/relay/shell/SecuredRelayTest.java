package dev.skep.relay.shell;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Access;
import dev.skep.backend.Backends;
import dev.skep.backend.StoreException;
import dev.skep.backend.Users;
import dev.skep.relay.Relay;
import dev.skep.relay.RelayConfig;
import dev.skep.runtime.config.AccessSettings;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.users.HostUsers;
import dev.skep.state.Rows;
import dev.skep.state.StoreRole;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.testkit.TestHost;
import dev.skep.testkit.secured.NoUsers;
import dev.skep.testkit.secured.SecuredServers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The relay and replay as users of their own, over TLS; and a topic that somebody has changed. */
@Tag("slow")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class SecuredRelayTest {
  @TempDir
  private Path folder;

  @Test
  void theRelayFillsTheLogAsItselfAndSaysWhatIsWrongWithTheTopic() throws Exception {
    try (SecuredServers servers = SecuredServers.startKafkaOnly(folder.resolve("tls"))) {
      Path identity = folder.resolve("identity");
      StoreAccess addresses = StoreAccess.of("embedded:" + folder.resolve("host/store"), servers.log());
      Users broker = Backends.users(servers.adminLog(), servers.logRoot());
      broker.prepare();
      try (HostUsers users = new HostUsers("cluster1abc", withRoot(addresses, servers), List.of(new NoUsers(), broker), new SecureRandom())) {
        users.services("node1").get(StoreRole.RELAY).write(identity.resolve("relay"));
      }
      alter(servers, "cleanup.policy", "compact");
      Access relay = AccessSettings.from(Settings.none(), "log", Optional.of(identity.resolve("relay")));
      try (TestHost host = TestHost.start(folder.resolve("host"), Clock.systemUTC(), new Relay(RelayConfig.from(Settings.none(), servers.log(), relay)))) {
        host.put(Rows.cluster(), ClusterRow.newBuilder().setId("c").setEpoch("e").build());
        until("the relay says so", () -> failures(host) > 1);
        assertThat(end(servers, relay)).as("written to a topic that loses revisions").isZero();
        alter(servers, "cleanup.policy", "delete");
        long revision = host.put(Rows.NODE_SPEC.key("n"), NodeSpecRow.newBuilder().setId("n").build()).revision();
        until("the log has it", () -> end(servers, relay) >= revision);

        Settings told = Settings.load(Optional.empty(), Map.of(), List.of("--identity=" + identity, "--store=" + addresses.store()));
        ReplayMain.Place store = ReplayMain.store(told);
        ReplayMain.Report report = ReplayMain.replay(store, ReplayMain.log(told, store), Long.MAX_VALUE, true);
        told.refuseUnknown();
        assertThat(report.text()).contains("holes   none").contains("the same at revision");
        assertThat(report.status()).isZero();
      }
    }
  }

  private static StoreAccess withRoot(StoreAccess addresses, SecuredServers servers) throws Exception {
    return new StoreAccess(addresses.settings(), new TreeMap<>(Map.of("log.ca", Files.readString(servers.root()))));
  }

  private static double failures(TestHost host) {
    Double value = host.metrics().registry().getSampleValue("skep_relay_failures_total", new String[] {"what"}, new String[] {"claim"});
    return value == null ? 0 : value;
  }

  private static long end(SecuredServers servers, Access access) {
    try (var history = Backends.history(servers.log(), access)) {
      return history.end();
    } catch (StoreException e) {
      return 0; // rights reach the broker a moment later
    }
  }

  private static void alter(SecuredServers servers, String name, String value) throws Exception {
    Path own = servers.root().getParent();
    Map<String, Object> settings = Map.of("bootstrap.servers", servers.kafka().internalAddress(), "security.protocol", "SSL",
        "ssl.truststore.type", "PEM", "ssl.truststore.location", servers.root().toString(), "ssl.keystore.type", "PEM",
        "ssl.keystore.location", own.resolve("kafka1/keystore.pem").toString());
    try (Admin admin = Admin.create(settings)) {
      admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, "skep.changes"),
          List.of(new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET)))).all().get(60, TimeUnit.SECONDS);
    }
  }

  private static void until(String what, BooleanSupplier there) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!there.getAsBoolean()) {
      assertThat(System.nanoTime()).as(what).isLessThan(end);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
    }
  }
}
