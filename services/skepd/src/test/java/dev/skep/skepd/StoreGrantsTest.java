package dev.skep.skepd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Access;
import dev.skep.backend.Access.Credentials;
import dev.skep.backend.Backends;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.runtime.config.Settings;
import dev.skep.state.Rows;
import dev.skep.testkit.etcd.EtcdServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code skep admin grant} and {@code revoke} against a real etcd. */
@Tag("engine")
@Tag("slow")
class StoreGrantsTest {
  @TempDir Path folder;

  private static Settings said(String... flags) {
    return Settings.load(Optional.empty(), Map.of(), List.of(flags));
  }

  private Store as(EtcdServer etcd, String host, String service) throws Exception {
    String password = Files.readString(folder.resolve(host).resolve(service + ".password")).strip();
    return Backends.store("etcd://" + etcd.endpoint() + "?sealed=hidden", new Access(Optional.of(new Credentials(host + "-" + service, password)),
        Optional.empty()), (_, body) -> Thread.ofPlatform().daemon().start(body));
  }

  private static Store.Transaction put(String path) {
    return new Store.Transaction(List.of(), List.of(new Store.Operation.Put(path, new byte[] {1})));
  }

  @Test
  void aHostsServicesHaveUsersUntilTheyAreTakenAway() throws Exception {
    try (EtcdServer etcd = EtcdServer.start()) {
      String store = "--store=etcd://" + etcd.endpoint();
      StoreGrants.grant(said(store, "--host=m1", "--out=" + folder.resolve("m1"), "--first"));
      List<String> root = List.of(store, "--store.user=root", "--store.password-file=" + folder.resolve("m1/root.password"));
      List<String> second = new ArrayList<>(root);
      second.addAll(List.of("--host=m2", "--out=" + folder.resolve("m2")));
      StoreGrants.grant(said(second.toArray(String[]::new)));
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("m2/scheduler.password")))).isEqualTo("rw-------");

      try (Store first = as(etcd, "m1", "scheduler"); Store other = as(etcd, "m2", "scheduler")) {
        assertThat(first.commit(put(Rows.PLACEMENT.key("t").path()))).isInstanceOf(Store.Outcome.Committed.class);
        assertThat(other.read("").entries()).hasSize(1);
        assertThatThrownBy(() -> other.commit(put(Rows.INTENT.key("t").path()))).isInstanceOf(StoreException.class).hasMessageContaining("permission");

        List<String> gone = new ArrayList<>(root);
        gone.add("--host=m2");
        StoreGrants.revoke(said(gone.toArray(String[]::new)));
        assertThatThrownBy(() -> other.read("")).as("at once, with the token that it has").isInstanceOf(StoreException.class);
        assertThat(first.commit(put(Rows.PLACEMENT.key("u").path()))).isInstanceOf(Store.Outcome.Committed.class);
      }
      assertThatThrownBy(() -> StoreGrants.revoke(said("--store=embedded:/x", "--host=m2"))).hasMessageStartingWith("only a store on etcd");
    }
  }
}
