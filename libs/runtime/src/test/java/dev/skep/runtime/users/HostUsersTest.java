package dev.skep.runtime.users;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Users;
import dev.skep.runtime.identity.StoreAccess;
import java.security.SecureRandom;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Who loses its users, on servers that a test plays. */
class HostUsersTest {
  private static final String CLUSTER = "c1";

  /** A server to which something happens when it is asked for names. */
  private static class Server implements Users {
    final Set<String> users = new TreeSet<>();

    @Override
    public void prepare() {}

    @Override
    public void grant(String name, String password, Rights rights) {
      users.add(name);
    }

    @Override
    public void password(String name, String password) {}

    @Override
    public void remove(String name) {
      users.remove(name);
    }

    @Override
    public List<String> names(String prefix) {
      return users.stream().filter(user -> user.startsWith(prefix)).toList();
    }

    @Override
    public void close() {}
  }

  private static HostUsers on(Users... servers) {
    return new HostUsers(CLUSTER, StoreAccess.of("etcd://store", "kafka://log"), List.of(servers), new SecureRandom());
  }

  @Test
  void whoIsNoManagerAnyMoreLosesItsUsersEverywhere() {
    Server store = new Server();
    Server log = new Server();
    try (HostUsers users = on(store, log)) {
      users.administrator();
      users.host("stays");
      users.host("goes");
      users.services("goes");
      assertThat(users.revokeOthers(() -> Set.of("stays"))).isNotEmpty().allMatch(user -> user.contains("goes"));
    }
    assertThat(store.users).isEqualTo(log.users).containsExactlyInAnyOrder("skep.c1.administrator", "skep.c1.stays");
  }

  /** Seen where the log took seconds to say who its users are: managers that joined meanwhile lost theirs. */
  @Test
  void whoComesWhileTheServersAreAskedStays() {
    Set<String> managers = new TreeSet<>(Set.of("stays"));
    Server store = new Server() {
      @Override
      public List<String> names(String prefix) {
        managers.add("comes");
        users.add("skep.c1.comes");
        return super.names(prefix);
      }
    };
    store.users.addAll(Set.of("skep.c1.stays", "skep.c1.goes"));
    try (HostUsers users = on(store)) {
      assertThat(users.revokeOthers(() -> Set.copyOf(managers))).containsExactly("skep.c1.goes");
    }
    assertThat(store.users).containsExactly("skep.c1.comes", "skep.c1.stays");
  }
}
