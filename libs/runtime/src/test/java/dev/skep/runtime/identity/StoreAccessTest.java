package dev.skep.runtime.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.runtime.config.AccessSettings;
import dev.skep.runtime.config.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one manager's process is told goes to another host whole, and comes out of its identity folder as settings. */
class StoreAccessTest {
  @TempDir Path folder;

  private static Settings told(String... flags) {
    return Settings.load(Optional.empty(), Map.of(), List.of(flags));
  }

  @Test
  void whatAProcessIsToldAnotherHostIsGivenWithTheFiles() throws Exception {
    Path password = Files.writeString(folder.resolve("pw"), "secret\n");
    Path ca = Files.writeString(folder.resolve("roots"), "the roots");
    StoreAccess here = StoreAccess.from(
        told("--store=etcd://a,b", "--log=kafka://k", "--store.user=skep", "--store.password-file=" + password, "--store.ca=" + ca), "embedded:/x");
    assertThat(here.shared()).isTrue();
    assertThat(here.toString()).isEqualTo("etcd://a,b and kafka://k");
    Path there = folder.resolve("identity");
    here.write(there);
    assertThat(Files.getPosixFilePermissions(there.resolve("store.properties"))).isEqualTo(PosixFilePermissions.fromString("rw-------"));
    assertThat(StoreAccess.read(there)).contains(here);

    Settings settings = StoreAccess.complete(told(), there);
    assertThat(StoreAccess.from(settings, "embedded:/x")).isEqualTo(here);
    var access = AccessSettings.from(settings, "store", Optional.of(there));
    assertThat(access.credentials().orElseThrow().password()).isEqualTo("secret");
    assertThat(Files.readString(access.tls().orElseThrow().root())).isEqualTo("the roots");
    assertThat(AccessSettings.from(told(), "store", Optional.of(there))).isEqualTo(access);
    assertThat(settings.effective()).contains("store.password = ********").doesNotContain("secret");

    StoreAccess.erase(there);
    assertThat(StoreAccess.read(there)).isEmpty();
    try (var left = Files.list(there)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void whatAProcessIsToldItselfWins() {
    StoreAccess.of("etcd://a", "kafka://k").write(folder);
    assertThat(StoreAccess.from(StoreAccess.complete(told("--store=etcd://other"), folder), "embedded:/x").toString()).isEqualTo("etcd://other and kafka://k");
    new StoreAccess(new TreeMap<>(Map.of("store", "etcd://a", "store.user", "u", "store.password", "p")), new TreeMap<>()).write(folder);
    Settings settings = StoreAccess.complete(told("--store.user=me", "--store.password=mine"), folder);
    assertThat(StoreAccess.from(settings, "embedded:/x").settings()).containsEntry("store.user", "me").containsEntry("store.password", "mine");
  }

  @Test
  void aHostWithAUserOfItsOwnGoesAsThatWhomeverItIsTold() throws Exception {
    Path ca = Files.writeString(folder.resolve("roots"), "the roots");
    Path admin = Files.writeString(folder.resolve("admin"), "a certificate");
    StoreAccess own = StoreAccess.of("etcd://a", "kafka://k").as("skep.c1.n1", "p", false, true);
    String[] told = {"--store.user=root", "--store.password-file=" + folder.resolve("gone"), "--store.ca=" + ca, "--store.certificate=" + admin,
        "--store.key=" + admin, "--log.user=everybody", "--log.password=x"};
    assertThat(own.issued()).isTrue();
    own.write(folder.resolve("plain"));
    Settings settings = StoreAccess.completeAsHost(told(told), folder.resolve("plain"));
    StoreAccess inForce = StoreAccess.from(settings, "embedded:/x");
    assertThat(inForce.settings()).containsEntry("store.user", "skep.c1.n1").containsEntry("log.user", "everybody");
    assertThat(inForce.pems()).as("its user has no certificate, so the host's is shown").containsEntry("store.certificate", "a certificate");

    own.withCertificate("store", "own certificate", "own key").write(folder.resolve("certified"));
    inForce = StoreAccess.from(StoreAccess.completeAsHost(told(told), folder.resolve("certified")), "embedded:/x");
    assertThat(inForce.pems()).containsEntry("store.certificate", "own certificate").containsEntry("store.key", "own key").containsEntry("store.ca", "the roots");

    StoreAccess shared = StoreAccess.of("etcd://a", "").as("everybody", "p", false, true);
    shared.write(folder.resolve("shared"));
    Path password = Files.writeString(folder.resolve("gone"), "secret");
    assertThat(password).exists();
    settings = StoreAccess.completeAsHost(told("--store.user=root", "--store.password-file=" + password), folder.resolve("shared"));
    assertThat(StoreAccess.from(settings, "embedded:/x").settings()).containsEntry("store.user", "root").containsEntry("store.password", "secret");
  }

  @Test
  void namesFromOtherMachinesBecomeNoOtherFiles() {
    TreeMap<String, String> pems = new TreeMap<>(Map.of("store.ca/../../x", "y"));
    assertThatThrownBy(() -> new StoreAccess(new TreeMap<>(Map.of("store", "etcd://a")), pems)).isInstanceOf(IllegalArgumentException.class);
    assertThat(StoreAccess.of("embedded:/x", "").shared()).isFalse();
  }
}
