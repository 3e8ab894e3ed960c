package dev.skep.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Store;
import dev.skep.runtime.Component;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.host.FileMembership;
import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.host.ProcessHost;
import dev.skep.runtime.identity.CertificateAuthority;
import dev.skep.runtime.identity.NodeCertificate;
import dev.skep.runtime.identity.NodeName;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.runtime.identity.Trust;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskIntentRow;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three processes on one store: when the one that decides ends, is stopped or loses the store, another goes on. */
@Timeout(120)
class TakeoverTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration LONG = Duration.ofHours(1); // a lease that does not run out while a test runs
  private static final String CLUSTER = "c1";
  private static final int TASKS = 3;

  /** Whatever is decided twice shows as a task too many: ids are new every time. */
  private static final Decider THREE_TASKS_EACH = (state, since, tick) -> {
    Decision.Builder decision = Decision.builder();
    for (Row<ServiceRow> service : state.rows(Rows.SERVICE)) {
      String id = service.key().lastPart();
      for (int have = tasks(state, id); have < TASKS; have++) {
        decision.change(ChangeSet.about(id).present(service.key())
            .put(Rows.INTENT.key(tick.ids().next()), TaskIntentRow.newBuilder().setServiceId(id).build()));
      }
    }
    return decision.build();
  };

  private static int tasks(ClusterState state, String service) {
    int count = 0;
    for (Row<TaskIntentRow> row : state.rows(Rows.INTENT)) {
      count += row.value().getServiceId().equals(service) ? 1 : 0;
    }
    return count;
  }

  private final class Manager {
    private final SharedStore.Client client = shared.client();
    private final ProcessHost host;
    private ControlLoop loop;
    private ControlLoop alone;

    private Manager(String node) throws Exception {
      Path data = folder.resolve(node);
      KeyPair keys = NodeCertificate.freshKey(random);
      String chain = authority.issue(new NodeName(node, NodeRole.MANAGER, CLUSTER), keys.getPublic(), Instant.now(), Duration.ofDays(1), random);
      new Trust(data.resolve("identity"), Clock.systemUTC())
          .install(NodeCertificate.of(keys.getPrivate(), chain), List.of(authority.certificatePem()));
      new FileMembership(data)
          .become(new Identity(CLUSTER, node, true, "127.0.0.1", "127.0.0.1", "127.0.0.1:0", List.of("127.0.0.1:0")));
      put(Rows.NODE_SPEC.key(node).path(), NodeSpecRow.getDefaultInstance().toByteArray());
      host = HostBuilder.named(node).data(data).shared(client).lease(LONG)
          .onFatal((what, cause) -> failures.add(new AssertionError(node + ": " + what, cause)))
          .component(new Component() {
            @Override
            public String name() {
              return "decider";
            }

            @Override
            public void start(Host on) {
              loop = on.loop("tasks", THREE_TASKS_EACH);
              alone = on.lead("alone", () -> {});
            }

            @Override
            public void stop() {
              loop.close();
              alone.close();
            }
          })
          .startProcess("shared:");
    }

    private ClusterState await(String what, Predicate<ClusterState> wanted) throws Exception {
      CompletableFuture<ClusterState> found = new CompletableFuture<>();
      try (AutoCloseable listening = host.view().listen((state, changes, reset) -> {
        if (wanted.test(state)) {
          found.complete(state);
        }
      })) {
        assertThat(listening).isNotNull();
        return found.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).exceptionally(failure -> {
          throw new AssertionError("not seen: " + what + "; failures: " + failures, failure);
        }).get();
      }
    }

    /** As kill -9 leaves it: it does nothing more, and its connections are gone. Its lease lives on. */
    private void kill() {
      client.stand();
      host.door().close();
    }
  }

  @TempDir Path folder;
  private final SecureRandom random = new SecureRandom();
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private final List<Manager> managers = new ArrayList<>();
  private CertificateAuthority authority;
  private SharedStore shared;
  private int services;

  @BeforeEach
  void start() throws Exception {
    authority = CertificateAuthority.create(Instant.now(), random);
    shared = SharedStore.in(folder.resolve("store"));
    put(Rows.cluster().path(), ClusterRow.newBuilder().setId(CLUSTER).build().toByteArray());
    for (int i = 1; i <= 3; i++) {
      managers.add(new Manager("n" + i));
    }
  }

  @AfterEach
  void end() {
    managers.forEach(manager -> manager.client.goOn());
    managers.forEach(manager -> manager.host.close());
    shared.close();
    assertThat(failures).isEmpty();
  }

  private long put(String key, byte[] value) {
    return ((Store.Outcome.Committed) shared.store().commit(
        new Store.Transaction(List.of(), List.of(new Store.Operation.Put(key, value))))).revision();
  }

  private String service() {
    String id = "s" + ++services;
    put(Rows.SERVICE.key(id).path(), ServiceRow.getDefaultInstance().toByteArray());
    return id;
  }

  private Manager holder(String loop) throws Exception {
    ClusterState state = managers.getLast().await("a holder of " + loop, now -> held(now, loop));
    return managers.stream().filter(manager -> manager.host.holder().equals(state.value(Rows.LEADER.key(loop)).getHolder())).findFirst().orElseThrow();
  }

  private static boolean held(ClusterState state, String loop) {
    var row = state.value(Rows.LEADER.key(loop));
    return row != null && !row.getAddress().isEmpty(); // the door is open, so that the others can call it
  }

  private Manager other(Manager than) {
    return managers.stream().filter(manager -> manager != than).findFirst().orElseThrow();
  }

  private void decidedOnce(Manager by) throws Exception {
    ClusterState state = by.await("tasks of all services", now -> {
      for (int i = 1; i <= services; i++) {
        if (tasks(now, "s" + i) < TASKS) {
          return false;
        }
      }
      return true;
    });
    for (int i = 1; i <= services; i++) {
      assertThat(tasks(state, "s" + i)).as("tasks of s" + i).isEqualTo(TASKS);
    }
  }

  @Test
  void whenTheHoldersProcessEndsAnotherDecidesAlthoughItsLeaseLives() throws Exception {
    service();
    Manager holder = holder("tasks");
    decidedOnce(other(holder));
    holder.kill();
    service();
    decidedOnce(other(holder));
    Manager next = managers.stream().filter(manager -> manager.loop.leading() && manager != holder).findFirst().orElseThrow();
    next.kill();
    service();
    Manager last = managers.stream().filter(manager -> manager != holder && manager != next).findFirst().orElseThrow();
    decidedOnce(last);
  }

  @Test
  void aHolderThatWasStoppedIsFencedWhenItWakes() throws Exception {
    Manager holder = holder("tasks");
    CountDownLatch underWay = holder.client.standAtNextCommit();
    service();
    assertThat(underWay.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    holder.client.endLeases();
    decidedOnce(other(holder));
    holder.client.goOn(); // its commit arrives now
    long revision = put(Rows.SERVICE.key("s" + ++services).path(), ServiceRow.getDefaultInstance().toByteArray());
    holder.host.view().await(revision, PATIENCE);
    decidedOnce(holder);
  }

  @Test
  void whoLosesTheStoreDecidesNothingUntilItIsBack() throws Exception {
    service();
    Manager holder = holder("tasks");
    decidedOnce(other(holder));
    managers.forEach(manager -> manager.client.away(true));
    service();
    managers.forEach(manager -> manager.client.away(false));
    decidedOnce(other(holder));
    holder.client.away(true);
    holder.client.endLeases();
    service();
    decidedOnce(other(holder));
    holder.client.away(false);
    service();
    decidedOnce(holder);
  }

  @Test
  void anOrderlyEndHandsTheLoopsOverAtOnce() throws Exception {
    Manager holder = holder("alone");
    holder.host.close();
    service();
    Manager other = other(holder);
    decidedOnce(other);
    ClusterState state = other.await("another holder", now -> {
      var row = now.value(Rows.LEADER.key("alone"));
      return row != null && !row.getHolder().equals(holder.host.holder());
    });
    assertThat(state.value(Rows.LEADER.key("alone")).getCommits()).isEqualTo(1);
  }
}
