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
import dev.skep.backend.etcd.EtcdConfig;
import dev.skep.backend.etcd.EtcdUsers;
import dev.skep.state.Owner;
import dev.skep.state.Rows;
import dev.skep.state.StoreRole;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The table of who may write and read what, carried out by a real etcd. */
@Tag("engine")
@Tag("slow")
class EtcdUsersTest {
  private static final int SECONDS = 30;

  private static Access as(String user) {
    return new Access(Optional.of(new Credentials(user, user + "-pass")), Optional.empty());
  }

  private static Store open(EtcdServer etcd, String user, boolean opensSealed) {
    return Backends.store("etcd://" + etcd.endpoint() + "/skep" + (opensSealed ? "" : "?sealed=hidden"), as(user), Told::start);
  }

  @Test
  void everyServiceWritesItsOwnRowsAndTwoReadWhatIsSealed() throws Exception {
    try (EtcdServer etcd = EtcdServer.start();
        EtcdUsers users = EtcdUsers.open(EtcdConfig.of("etcd://" + etcd.endpoint() + "/skep", as("root")))) {
      for (StoreRole role : StoreRole.values()) {
        users.role(role.service(), role.writes(), role.opensSealed());
        users.role(role.service(), role.writes(), role.opensSealed()); // again, as after an upgrade
        users.user(role.service(), role.service() + "-pass", role.service());
      }
      users.enable("root-pass");
      try (Store root = open(etcd, "root", true)) {
        landed(root.commit(put(Rows.SEALED.key("ca", "key").path(), "sealed")));
        landed(root.commit(put(Rows.CLUSTER.key("default").path(), "open")));
      }
      for (StoreRole role : StoreRole.values()) {
        try (Store store = open(etcd, role.service(), role.opensSealed())) {
          keepsToItsRows(store, role);
          readsWhatItMay(store, role);
        }
      }
      users.remove("scheduler");
      try (Store store = open(etcd, "scheduler", false)) {
        assertThatThrownBy(store::revision).isInstanceOf(StoreException.class).hasMessageContaining("credentials");
      }
    }
  }

  private static void keepsToItsRows(Store store, StoreRole role) {
    for (Owner owner : Owner.values()) {
      String path = owner == Owner.LOOP ? Rows.LEADER.key("scheduler").path() : owner.prefix() + "x/" + role.service();
      if (role.mayWrite(path)) {
        landed(store.commit(put(path, "1")));
      } else {
        assertThatThrownBy(() -> store.commit(put(path, "1"))).as("%s writes %s", role, path).isInstanceOf(StoreException.class)
            .hasMessageContaining("permission");
      }
    }
  }

  private static void readsWhatItMay(Store store, StoreRole role) throws InterruptedException {
    String sealed = Rows.SEALED.key("ca", "key").path();
    List<String> all = store.read("").entries().stream().map(Store.Entry::key).toList();
    assertThat(all).contains(Rows.CLUSTER.key("default").path());
    assertThat(all.contains(sealed)).as(role.service()).isEqualTo(role.opensSealed());
    if (!role.opensSealed()) {
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
      assertThat(seen.poll(SECONDS, TimeUnit.SECONDS)).as(role.service()).isEqualTo(role.opensSealed() ? sealed : Rows.CLUSTER.key("default").path());
    }
  }
}
