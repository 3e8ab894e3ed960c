package dev.skep.testkit.etcd;

import static dev.skep.testkit.etcd.Told.landed;
import static dev.skep.testkit.etcd.Told.put;
import static dev.skep.testkit.etcd.Told.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Access;
import dev.skep.backend.Access.Credentials;
import dev.skep.backend.Access.TlsFiles;
import dev.skep.backend.Backends;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.testkit.tls.TestAuthority;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TLS, users and roles. */
@Tag("engine")
@Tag("slow")
class EtcdSecurityTest {
  @TempDir
  private Path folder;

  private static final String PATIENT = "?timeout=60s&silence=10s";
  private static final String IMPATIENT = "?timeout=3s&silence=1s"; // a refused connection is tried again until then

  private static Store open(EtcdServer etcd, Optional<Credentials> credentials, Optional<TlsFiles> tls) {
    return open(etcd, PATIENT, credentials, tls);
  }

  private static Store open(EtcdServer etcd, String patience, Optional<Credentials> credentials, Optional<TlsFiles> tls) {
    return Backends.store("etcd://" + etcd.endpoint() + patience, new Access(credentials, tls), Told::start);
  }

  private static Optional<Credentials> user(String name, String password) {
    return Optional.of(new Credentials(name, password));
  }

  @Test
  void bothSidesOfAConnectionProveWhoTheyAre() throws Exception {
    TestAuthority ours = new TestAuthority(folder, "ours");
    TestAuthority foreign = new TestAuthority(folder, "foreign");
    TestAuthority.Issued server = ours.issue("server");
    TestAuthority.Issued client = ours.issue("client");
    TestAuthority.Issued stranger = foreign.issue("stranger");
    try (EtcdServer etcd = EtcdServer.start(Optional.of(new EtcdServer.Tls(ours, server)))) {
      try (Store store = open(etcd, Optional.empty(),
          Optional.of(new TlsFiles(ours.root(), Optional.of(client.certificate()), Optional.of(client.key()))))) {
        landed(store.commit(put("a", "1")));
        assertThat(value(store, "a")).isEqualTo("1");
      }
      refusedTo(etcd, new TlsFiles(ours.root(), Optional.empty(), Optional.empty()));
      refusedTo(etcd, new TlsFiles(ours.root(), Optional.of(stranger.certificate()), Optional.of(stranger.key())));
      refusedTo(etcd, new TlsFiles(foreign.root(), Optional.of(client.certificate()), Optional.of(client.key())));
      assertThatThrownBy(() -> open(etcd, Optional.empty(), Optional.of(new TlsFiles(folder.resolve("none.pem"), Optional.empty(), Optional.empty()))))
          .isInstanceOf(StoreException.class).hasMessageContaining("none.pem");
    }
  }

  private static void refusedTo(EtcdServer etcd, TlsFiles files) {
    try (Store store = open(etcd, IMPATIENT, Optional.empty(), Optional.of(files))) {
      assertThatThrownBy(() -> store.get("a")).isInstanceOf(StoreException.class);
    }
  }

  @Test
  void aUserMayDoWhatItsRolesAllow() throws Exception {
    try (EtcdServer etcd = EtcdServer.start();
        Store early = open(etcd, user("root", "rootpass"), Optional.empty())) {
      landed(early.commit(put("mine/a", "before there were users")));
      EtcdTool.run(etcd, "user", "add", "root:rootpass");
      EtcdTool.run(etcd, "user", "add", "one:onepass");
      EtcdTool.run(etcd, "user", "grant-role", "root", "root");
      EtcdTool.run(etcd, "role", "add", "writer");
      EtcdTool.run(etcd, "role", "grant-permission", "writer", "--prefix=true", "readwrite", "mine/");
      EtcdTool.run(etcd, "role", "grant-permission", "writer", "--prefix=true", "read", "leader/loop/");
      EtcdTool.run(etcd, "user", "grant-role", "one", "writer");
      EtcdTool.run(etcd, "auth", "enable");
      landed(early.commit(put("other/a", "with a token that it got when it was asked for one")));
      try (Store store = open(etcd, user("one", "onepass"), Optional.empty())) {
        long last = landed(store.commit(put("mine/a", "1")));
        assertThat(store.revision()).isEqualTo(last);
        assertThat(store.read("mine/").entries()).hasSize(1);
        assertThatThrownBy(() -> store.commit(put("other/a", "1"))).isInstanceOf(StoreException.class)
            .hasMessageContaining("permission denied").hasMessageNotContaining("nobody knows");
        assertThatThrownBy(() -> store.read("other/")).isInstanceOf(StoreException.class).hasMessageContaining("permission denied");
        Told told = new Told();
        try (Store.Watch watch = store.watch("mine/", last, told)) {
          assertThat(watch).isNotNull();
          assertThat(told.upTo(last)).containsExactly(last);
          etcd.stop(); // with it go the tokens that it gave
          etcd.begin();
          etcd.awaitHealthy();
          long next = landed(store.commit(put("mine/a", "2")));
          assertThat(told.upTo(next)).containsExactly(next);
        }
      }
      try (Store store = open(etcd, user("one", "wrong"), Optional.empty())) {
        assertThatThrownBy(() -> store.get("mine/a")).isInstanceOf(StoreException.class).hasMessageContaining("does not accept our credentials")
            .hasMessageNotContaining("wrong");
      }
      try (Store store = open(etcd, Optional.empty(), Optional.empty())) {
        assertThatThrownBy(() -> store.get("mine/a")).isInstanceOf(StoreException.class).hasMessageContaining("does not accept our credentials");
      }
    }
  }
}
