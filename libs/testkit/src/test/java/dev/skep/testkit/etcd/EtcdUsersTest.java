package dev.skep.testkit.etcd;

import static dev.skep.testkit.etcd.Told.landed;
import static dev.skep.testkit.etcd.Told.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Access;
import dev.skep.backend.Access.Credentials;
import dev.skep.backend.Backends;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.backend.Users;
import dev.skep.backend.etcd.EtcdConfig;
import dev.skep.backend.etcd.EtcdUsers;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.users.HostUsers;
import dev.skep.state.Owner;
import dev.skep.state.RowKind;
import dev.skep.state.Rows;
import dev.skep.state.StoreRole;
import dev.skep.state.v1.StoreAdministrator;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The table of who may write and read what, carried out by a real etcd: every service's user against every kind of row. */
@Tag("engine")
@Tag("slow")
class EtcdUsersTest {
  private static final int SECONDS = 60;
  private static final String CLUSTER = "cluster1abcdef";
  private static final String NODE = "node1";
  private static final String OTHER = "node2";

  /** Which service writes what, by hand: this is the table of the architecture, not what the code makes of it. */
  private static final Map<String, String> WRITERS = Map.ofEntries(
      Map.entry("state/api/", "control-api"),
      Map.entry("sealed/", "control-api"),
      Map.entry("state/orchestrator/", "orchestrator"),
      Map.entry("leader/loop/orchestrator", "orchestrator"),
      Map.entry("state/allocator/", "allocator"),
      Map.entry("leader/loop/allocator", "allocator"),
      Map.entry("state/scheduler/", "scheduler"),
      Map.entry("leader/loop/scheduler", "scheduler"),
      Map.entry("state/dispatcher/", "dispatcher"),
      Map.entry("leader/loop/dispatcher", "dispatcher"),
      Map.entry("leader/loop/liveness", "dispatcher"),
      Map.entry("leader/loop/relay", "relay"));
  private static final Set<String> OPEN_SEALED = Set.of("control-api", "dispatcher");

  private static Access as(String user, String password) {
    return new Access(Optional.of(new Credentials(user, password)), Optional.empty());
  }

  private static Store open(StoreAccess access) {
    return Backends.store(access.store(), as(access.user("store").orElseThrow(), access.settings().get("store.password")), Told::start);
  }

  /** A row of every kind, and of the loops one each; by path, who writes it. */
  private static Map<String, String> rows() {
    Map<String, String> rows = new TreeMap<>();
    for (RowKind<?> kind : Rows.all()) {
      if (!kind.equals(Rows.LEADER)) {
        String path = kind.prefix() + "x";
        rows.put(path, WRITERS.entrySet().stream().filter(one -> path.startsWith(one.getKey())).findFirst().orElseThrow().getValue());
      }
    }
    WRITERS.forEach((path, writer) -> {
      if (path.startsWith(Rows.LEADER.prefix())) {
        rows.put(path, writer);
      }
    });
    return rows;
  }

  @Test
  void everyServiceWritesItsOwnRowsAndTwoReadWhatIsSealed() throws Exception {
    try (EtcdServer etcd = EtcdServer.start()) {
      String uri = "etcd://" + etcd.endpoint() + "/skep?timeout=60s&silence=20s";
      try (Users first = Backends.users(uri, as("root", "root-pass"))) {
        first.prepare();
        first.prepare(); // again, as when the command is run again
      }
      try (HostUsers users = users(uri, as("root", "root-pass")); Store root = Backends.store(uri, as("root", "root-pass"), Told::start)) {
        Map<StoreRole, StoreAccess> services = users.services(NODE);
        for (String path : rows().keySet()) {
          landed(root.commit(put(path, "0")));
        }
        for (Map.Entry<StoreRole, StoreAccess> one : services.entrySet()) {
          try (Store store = open(one.getValue())) {
            keepsToItsRows(store, one.getKey().service());
            readsWhatItMay(store, one.getKey().service());
          }
          administersNothing(uri, one.getValue());
        }
        aHostWritesAllAndAdministersNothing(uri, users);
        aHostIsShutOutAndTheOtherGoesOn(users, services);
        whatAnOlderVersionAllowedIsTakenBack(uri, users, services);
        theAdministratorChangesItsPassword(uri, users);
      }
    }
  }

  private static HostUsers users(String uri, Access access) {
    return new HostUsers(CLUSTER, StoreAccess.of(uri, ""), List.of(Backends.users(uri, access)), new SecureRandom());
  }

  private static void keepsToItsRows(Store store, String service) {
    rows().forEach((path, writer) -> {
      if (writer.equals(service)) {
        landed(store.commit(put(path, service)));
        landed(store.commit(new Store.Transaction(List.of(), List.of(new Store.Operation.Delete(path)))));
        landed(store.commit(put(path, service)));
      } else {
        refused(store, path, service, new Store.Operation.Put(path, new byte[] {1}));
        refused(store, path, service, new Store.Operation.Delete(path));
      }
    });
    refused(store, "elsewhere/x", service, new Store.Operation.Put("elsewhere/x", new byte[] {1}));
  }

  private static void refused(Store store, String path, String service, Store.Operation operation) {
    assertThatThrownBy(() -> store.commit(new Store.Transaction(List.of(), List.of(operation)))).as("%s writes %s", service, path)
        .isInstanceOfSatisfying(StoreException.class, e -> assertThat(e.denied()).isTrue())
        .hasMessageContaining("permission").hasMessageContaining("skep admin grant").hasMessageNotContaining("nobody knows");
  }

  private static void readsWhatItMay(Store store, String service) throws InterruptedException {
    boolean opensSealed = OPEN_SEALED.contains(service);
    String sealed = Rows.SEALED.prefix() + "x";
    List<String> wanted = new ArrayList<>(rows().keySet());
    wanted.removeIf(path -> path.startsWith("sealed/") && !opensSealed);
    assertThat(store.read("").entries().stream().map(Store.Entry::key).toList()).as(service).containsExactlyInAnyOrderElementsOf(wanted);
    if (opensSealed) {
      assertThat(store.get(sealed)).isPresent();
    } else {
      assertThatThrownBy(() -> store.get(sealed)).isInstanceOf(StoreException.class).hasMessageContaining("permission");
      assertThatThrownBy(() -> store.read(Owner.SEALED.prefix())).isInstanceOf(StoreException.class);
    }
    LinkedBlockingQueue<String> seen = new LinkedBlockingQueue<>();
    try (Store.Watch watch = store.watch("", 1, new Store.Watcher() {
      @Override
      public void changed(long revision, List<Store.Change> changes) {
        changes.forEach(change -> seen.add(change.key()));
      }

      @Override
      public void compacted(long oldestRevision) {
        seen.add("compacted");
      }
    })) {
      assertThat(watch).isNotNull();
      // the table's rows were written in the order of their paths: what is sealed comes before what a state/ is
      assertThat(next(seen)).as(service).startsWith("leader/");
      String path = next(seen);
      while (path.startsWith("leader/")) {
        path = next(seen);
      }
      assertThat(path.startsWith("sealed/")).as("%s watches %s", service, path).isEqualTo(opensSealed);
    }
  }

  private static String next(LinkedBlockingQueue<String> seen) throws InterruptedException {
    String path = seen.poll(SECONDS, TimeUnit.SECONDS);
    assertThat(path).as("something within %d s", SECONDS).isNotNull();
    return path;
  }

  private static void administersNothing(String uri, StoreAccess access) {
    try (Users users = Backends.users(uri, as(access.user("store").orElseThrow(), access.settings().get("store.password")))) {
      assertThatThrownBy(() -> users.names("skep.")).isInstanceOfSatisfying(StoreException.class, e -> assertThat(e.denied()).isTrue());
      assertThatThrownBy(() -> users.password("root", "mine")).isInstanceOf(StoreException.class);
    }
  }

  private static void aHostWritesAllAndAdministersNothing(String uri, HostUsers users) {
    StoreAccess host = users.host(NODE);
    try (Store store = open(host)) {
      rows().keySet().forEach(path -> landed(store.commit(put(path, "host"))));
      assertThat(store.read("").entries()).hasSize(rows().size());
      refused(store, "elsewhere/x", "skepd", new Store.Operation.Put("elsewhere/x", new byte[] {1}));
    }
    administersNothing(uri, host);
  }

  private static void aHostIsShutOutAndTheOtherGoesOn(HostUsers users, Map<StoreRole, StoreAccess> services) {
    StoreAccess other = users.host(OTHER);
    Map<StoreRole, StoreAccess> others = users.services(OTHER);
    try (Store open = open(other); Store service = open(others.get(StoreRole.SCHEDULER)); Store stays = open(services.get(StoreRole.SCHEDULER))) {
      assertThat(open.revision()).isPositive();
      assertThat(service.revision()).isPositive();
      landed(stays.commit(put(Rows.PLACEMENT.prefix() + "x", "1")));
      assertThat(users.revokeOthers(() -> Set.of(NODE))).hasSize(1 + StoreRole.values().length).allMatch(user -> user.contains("." + OTHER));
      for (Store store : List.of(open, service)) {
        assertThatThrownBy(() -> store.read("")).as("with the token that it has").isInstanceOfSatisfying(StoreException.class,
            e -> assertThat(e.denied()).isTrue());
      }
      landed(stays.commit(put(Rows.PLACEMENT.prefix() + "x", "2")));
    }
    assertThat(users.revokeOthers(() -> Set.of(NODE))).isEmpty();
  }

  private static void whatAnOlderVersionAllowedIsTakenBack(String uri, HostUsers users, Map<StoreRole, StoreAccess> services) {
    String role = "skep." + CLUSTER.substring(0, 8) + ".scheduler";
    try (EtcdUsers raw = EtcdUsers.open(EtcdConfig.of(uri, as("root", "root-pass"))); Store store = open(services.get(StoreRole.SCHEDULER))) {
      raw.role(role, List.of("state/"), false);
      landed(store.commit(put(Rows.INTENT.prefix() + "x", "1")));
      users.services(OTHER); // of any host
      refused(store, Rows.INTENT.prefix() + "x", "scheduler", new Store.Operation.Put(Rows.INTENT.prefix() + "x", new byte[] {1}));
      landed(store.commit(put(Rows.PLACEMENT.prefix() + "x", "3")));
    }
  }

  private static void theAdministratorChangesItsPassword(String uri, HostUsers users) {
    StoreAdministrator administrator = users.administrator();
    assertThat(users.hasAdministrator()).isTrue();
    try (HostUsers as = users(uri, as(administrator.getUser(), administrator.getPassword()))) {
      assertThat(as.revoke(OTHER)).hasSize(StoreRole.values().length);
      as.administratorPassword("another");
    }
    try (HostUsers as = users(uri, as(administrator.getUser(), administrator.getPassword()))) {
      assertThatThrownBy(() -> as.revoke(OTHER)).isInstanceOfSatisfying(StoreException.class, e -> assertThat(e.denied()).isTrue())
          .hasMessageContaining("store.password-file").hasMessageNotContaining(administrator.getPassword());
    }
    try (HostUsers as = users(uri, as(administrator.getUser(), "another"))) {
      assertThat(as.revoke(OTHER)).isEmpty();
    }
  }
}
