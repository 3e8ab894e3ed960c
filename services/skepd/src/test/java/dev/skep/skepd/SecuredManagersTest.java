package dev.skep.skepd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Access;
import dev.skep.backend.Backends;
import dev.skep.backend.LogWriter;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.runtime.config.AccessSettings;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.users.Administration;
import dev.skep.runtime.users.HostUsers;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.TaskState;
import dev.skep.testkit.secured.SecuredServers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every manager has users of its own in a real etcd and a real Kafka, from when it comes until it is demoted. */
@Tag("engine")
@Tag("slow")
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class SecuredManagersTest {
  private static final Pattern INDEX = Pattern.compile("\"Index\":(\\d+)");
  private static final String SERVICE = "{\"Name\":\"%s\",\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"busybox\"}},\"Mode\":{\"Replicated\":{\"Replicas\":3}}}";

  @TempDir Path folder;

  private static Settings said(List<String> flags, String... more) {
    List<String> all = new ArrayList<>(flags);
    all.addAll(List.of(more));
    return Settings.load(Optional.empty(), Map.of(), all);
  }

  private static Path identity(Nodes.Node node) {
    return node.host.dataFolder("identity");
  }

  private static String user(Nodes.Node node) {
    return StoreAccess.read(identity(node)).orElseThrow().user("store").orElseThrow();
  }

  private static String joining(Nodes.Node node, Nodes.Node manager) throws IOException {
    return Nodes.joinListening(node, Nodes.listen(), Nodes.token(manager, NodeRole.MANAGER), Nodes.door(manager));
  }

  private static void demote(Nodes.Node at, String node) throws IOException {
    Matcher index = INDEX.matcher(at.get("/nodes/" + node));
    assertThat(index.find()).isTrue();
    assertThat(at.post("/nodes/" + node + "/update?version=" + index.group(1), "{\"Role\":\"worker\",\"Availability\":\"active\"}")).isEqualTo("200 ");
  }

  private static void runs(Nodes.Node at, String service) throws IOException {
    assertThat(at.post("/services/create", SERVICE.formatted(service))).startsWith("201");
    at.host.await(service + " runs", state -> {
      int[] running = {0};
      TaskRecord.forEach(state, task -> running[0] += task.observed() == TaskState.TASK_RUNNING ? 1 : 0);
      return running[0] >= 3;
    });
  }

  /** What is done with a first manager on servers that know everybody by name. */
  private interface Story {
    void goesOn(SecuredServers servers, Nodes nodes, Nodes.Node first) throws Exception;
  }

  private void secured(boolean asksClients, Story story) throws Exception {
    try (SecuredServers servers = SecuredServers.start(folder.resolve("tls"), asksClients)) {
      StoreAccess addresses = StoreAccess.from(said(List.of("--store=" + servers.store(), "--store.ca=" + servers.root(), "--log=" + servers.log(),
          "--log.ca=" + servers.root())), "");
      try (Nodes nodes = new Nodes(folder.resolve("nodes"), Optional.of(servers.store()),
          builder -> builder.access(addresses).storeAccess(servers.storeRoot()).administration(Administration.from(said(servers.administrator()), "")))) {
        Nodes.Node first = nodes.firstManager();
        first.awaitStarts(2);
        assertThat(user(first)).endsWith("." + first.id());
        story.goesOn(servers, nodes, first);
      }
    }
  }

  @Test
  void whoIsDemotedIsShutOutAndTheOthersGoOn() throws Exception {
    secured(true, (servers, nodes, first) -> { // etcd asks for certificates besides: that is the more difficult form
      Nodes.Node second = nodes.host();
      assertThat(joining(second, first)).isEqualTo("200 ");
      second.awaitStarts(2);
      Nodes.awaitState(first, second.id(), "ready");
      assertThat(user(second)).endsWith("." + second.id());
      runs(second, "before");

      String kept = copy(identity(second), folder.resolve("kept"));
      try (Kept old = new Kept(folder.resolve("kept"))) {
        assertThat(old.store.read("").entries()).isNotEmpty();
        old.log.claim("e");
        String id = second.id();
        demote(first, id);
        second.awaitStarts(3);
        Nodes.awaitState(first, id, "ready");
        old.refused();
        try (Kept again = new Kept(folder.resolve("kept"))) {
          again.refused();
        }
        assertThat(kept).contains(id);
        assertThat(StoreAccess.read(identity(second))).isEmpty();
        runs(first, "after");
      }
    });
  }

  @Test
  @Tag("long")
  void whoLostItsUserAsksAnotherManager() throws Exception {
    secured(false, (servers, nodes, first) -> aUserThatIsLostComesBack(servers, first, nodes));
  }

  /** The user of a manager is gone: the host asks the other manager. So does one that was off when it was demoted. */
  private void aUserThatIsLostComesBack(SecuredServers servers, Nodes.Node first, Nodes nodes) throws Exception {
    String cluster = first.host.membership().current().orElseThrow().clusterId();
    Nodes.Node third = nodes.host();
    assertThat(joining(third, first)).isEqualTo("200 ");
    third.awaitStarts(2);
    Nodes.awaitState(first, third.id(), "ready");
    AdminMain.revoke(said(servers.administrator(), "--identity=" + identity(first), "--node=" + third.id()));
    third.awaitStarts(3);
    Nodes.awaitState(first, third.id(), "ready");
    runs(third, "again");

    String id = third.id();
    third.stop();
    Nodes.awaitState(first, id, "down");
    demote(first, id);
    try (HostUsers users = new HostUsers(cluster, StoreAccess.of(servers.store(), servers.log()),
        List.of(Backends.users(servers.adminLog(), servers.logRoot()), Backends.users(servers.store(), servers.storeRoot())), new SecureRandom())) {
      StoreAccess kept = StoreAccess.read(identity(third)).orElseThrow();
      eventually("its user is gone", () -> !users.isHost(id, kept));
      assertThat(users.isHost(first.id(), StoreAccess.read(identity(first)).orElseThrow())).isTrue();
    }
    third.begin();
    Nodes.awaitState(first, id, "ready");
    assertThat(third.host.membership().current().orElseThrow().manager()).as("it slept through its demotion").isFalse();
    assertThat(StoreAccess.read(identity(third))).isEmpty();
  }

  private static void eventually(String what, BooleanSupplier there) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!there.getAsBoolean()) {
      assertThat(System.nanoTime()).as(what).isLessThan(end);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
    }
  }

  private static String copy(Path identity, Path to) throws IOException {
    StoreAccess access = StoreAccess.read(identity).orElseThrow();
    access.write(to);
    return Files.readString(to.resolve("store.properties"));
  }

  /** Connections of a host that kept what it had. */
  private record Kept(Store store, LogWriter log) implements AutoCloseable {
    Kept(Path identity) {
      this(Backends.store(StoreAccess.read(identity).orElseThrow().store(), access(identity, "store"), (_, body) -> Thread.ofPlatform().daemon().start(body)),
          Backends.writer(StoreAccess.read(identity).orElseThrow().log(), access(identity, "log")));
    }

    private static Access access(Path identity, String scope) {
      return AccessSettings.from(Settings.none(), scope, Optional.of(identity));
    }

    /** It may take seconds: the host was let go on until it had heard of it. */
    void refused() {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (works()) {
        assertThat(System.nanoTime()).as("still let in").isLessThan(end);
      }
      assertThatThrownBy(() -> store.read("")).isInstanceOfSatisfying(StoreException.class, e -> assertThat(e.denied()).isTrue());
      assertThatThrownBy(() -> log.claim("e")).isInstanceOfSatisfying(StoreException.class, e -> assertThat(e.denied()).as(e.getMessage()).isTrue());
    }

    private boolean works() {
      try {
        store.read("");
        return true;
      } catch (StoreException e) {
        return false;
      }
    }

    @Override
    public void close() {
      store.close();
      log.close();
    }
  }
}
