package dev.skep.runtime.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Access;
import dev.skep.backend.Access.Credentials;
import dev.skep.backend.Access.TlsFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AccessSettingsTest {
  @TempDir
  private Path folder;

  @Test
  void storeAndLogHaveEachTheirOwn() throws Exception {
    Path password = Files.writeString(folder.resolve("password"), "from the file\n");
    Settings settings = Settings.load(Optional.empty(), Map.of("SKEP_LOG_PASSWORD", "from the variable"),
        List.of("--store.user=me", "--store.password-file=" + password, "--store.ca=/ca", "--store.certificate=/cert", "--store.key=/key", "--log.user=you"));
    assertThat(AccessSettings.from(settings.of("store"))).isEqualTo(new Access(Optional.of(new Credentials("me", "from the file")),
        Optional.of(new TlsFiles(Path.of("/ca"), Optional.of(Path.of("/cert")), Optional.of(Path.of("/key"))))));
    assertThat(AccessSettings.from(settings.of("log"))).isEqualTo(new Access(Optional.of(new Credentials("you", "from the variable")), Optional.empty()));
    settings.refuseUnknown();
    assertThat(settings.effective()).contains("store.user = me", "log.password = ********").doesNotContain("from the");
  }

  @Test
  void whatTheSettingsDoNotSayTheIdentityDirectorySays() throws Exception {
    Files.writeString(folder.resolve("pw"), "shared");
    Files.writeString(folder.resolve(AccessSettings.FILE), "store.user = us\nstore.password-file = pw\nstore.ca = roots.pem\nlog.user = logger\nlog.password = x\n");
    Settings none = Settings.none();
    assertThat(AccessSettings.from(none, "store", Optional.of(folder))).isEqualTo(new Access(Optional.of(new Credentials("us", "shared")),
        Optional.of(new TlsFiles(folder.resolve("roots.pem"), Optional.empty(), Optional.empty()))));
    assertThat(AccessSettings.from(none, "log", Optional.of(folder))).isEqualTo(new Access(Optional.of(new Credentials("logger", "x")), Optional.empty()));
    assertThat(AccessSettings.from(none, "store", Optional.of(folder.resolve("other")))).isEqualTo(Access.PLAIN);
    Settings given = Settings.load(Optional.empty(), Map.of(), List.of("--store.user=me", "--store.password=mine"));
    assertThat(AccessSettings.from(given, "store", Optional.of(folder)).credentials()).contains(new Credentials("me", "mine"));
    Files.writeString(folder.resolve(AccessSettings.FILE), "store.usr = us\n");
    assertThatThrownBy(() -> AccessSettings.from(none, "store", Optional.of(folder))).isInstanceOf(SettingsException.class).hasMessageContaining("store.user");
  }

  @Test
  void nothingGivenIsPlain() {
    assertThat(AccessSettings.from(Settings.none().of("store"))).isEqualTo(Access.PLAIN);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--user=me", "--password=x", "--user=me --password=x --password-file=y", "--certificate=c --key=k", "--ca=r --certificate=c", "--ca=r --key=k"})
  void halvesAreRefused(String flags) {
    Settings settings = Settings.load(Optional.empty(), Map.of(), List.of(flags.split(" ")));
    assertThatThrownBy(() -> AccessSettings.from(settings)).isInstanceOf(SettingsException.class);
  }

  @Test
  void aPasswordFileThatIsNotThereIsNamed() {
    Settings settings = Settings.load(Optional.empty(), Map.of(), List.of("--user=me", "--password-file=" + folder.resolve("none")));
    assertThatThrownBy(() -> AccessSettings.from(settings)).isInstanceOf(SettingsException.class).hasMessageContaining("none");
  }
}
