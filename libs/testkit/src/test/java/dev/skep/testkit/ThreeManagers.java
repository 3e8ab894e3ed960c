package dev.skep.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
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
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Three processes of managers on one store, each with a decider whose every second decision would be seen, over real TLS. */
final class ThreeManagers implements AutoCloseable {
  /** Gives a host its store. */
  interface Opening {
    ProcessHost start(HostBuilder builder) throws Exception;
  }

  private static final Logger LOG = LoggerFactory.getLogger(ThreeManagers.class);
  static final Duration PATIENCE = Duration.ofSeconds(60);
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

  /** One of the processes. */
  final class Manager {
    final ProcessHost host;
    ControlLoop loop;
    ControlLoop alone;

    private Manager(String node, Opening opening) throws Exception {
      Path data = folder.resolve(node);
      KeyPair keys = NodeCertificate.freshKey(random);
      String chain = authority.issue(new NodeName(node, NodeRole.MANAGER, CLUSTER), keys.getPublic(), Instant.now(), Duration.ofDays(1), random);
      new Trust(data.resolve("identity"), Clock.systemUTC())
          .install(NodeCertificate.of(keys.getPrivate(), chain), List.of(authority.certificatePem()));
      new FileMembership(data)
          .become(new Identity(CLUSTER, node, true, "127.0.0.1", "127.0.0.1", "127.0.0.1:0", List.of("127.0.0.1:0")));
      put(Rows.NODE_SPEC.key(node).path(), NodeSpecRow.getDefaultInstance().toByteArray());
      host = opening.start(HostBuilder.named(node).data(data)
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
          }));
    }

    ClusterState await(String what, Predicate<ClusterState> wanted) throws Exception {
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
  }

  final List<Manager> managers = new ArrayList<>();
  private final Path folder;
  private final Store store;
  private final SecureRandom random = new SecureRandom();
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private final CertificateAuthority authority = CertificateAuthority.create(Instant.now(), random);
  private int services;

  /** @param store the test's own way to it */
  ThreeManagers(Path folder, Store store, List<? extends Opening> openings) throws Exception {
    this.folder = folder;
    this.store = store;
    put(Rows.cluster().path(), ClusterRow.newBuilder().setId(CLUSTER).build().toByteArray());
    for (Opening opening : openings) {
      managers.add(new Manager("n" + (managers.size() + 1), opening));
    }
  }

  @Override
  public void close() {
    managers.forEach(manager -> manager.host.close());
    assertThat(failures).isEmpty();
  }

  /** Until it is there: a store of other processes may be slow, or away. */
  private long put(String key, byte[] value) {
    while (true) {
      try {
        return ((Store.Outcome.Committed) store.commit(
            new Store.Transaction(List.of(), List.of(new Store.Operation.Put(key, value))))).revision();
      } catch (StoreException e) {
        LOG.info("{} is written once more: {}", key, e.getMessage()); // the test's time-out ends it
      }
    }
  }

  /** One more service that wants tasks. Returns the revision that has it. */
  long service() {
    long revision = put(Rows.SERVICE.key("s" + (services + 1)).path(), ServiceRow.getDefaultInstance().toByteArray());
    services++;
    return revision;
  }

  /** Whoever holds the loop, with its door open. */
  Manager holder(String loop) throws Exception {
    ClusterState state = managers.getLast().await("a holder of " + loop, now -> held(now, loop));
    return managers.stream().filter(manager -> manager.host.holder().equals(state.value(Rows.LEADER.key(loop)).getHolder())).findFirst().orElseThrow();
  }

  private static boolean held(ClusterState state, String loop) {
    var row = state.value(Rows.LEADER.key(loop));
    return row != null && !row.getAddress().isEmpty(); // the door is open, so that the others can call it
  }

  Manager other(Manager than) {
    return managers.stream().filter(manager -> manager != than).findFirst().orElseThrow();
  }

  /** As this manager sees it, every service gets its tasks, and no more. */
  void decidedOnce(Manager by) throws Exception {
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
}
