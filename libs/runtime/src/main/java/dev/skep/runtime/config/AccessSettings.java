package dev.skep.runtime.config;

import dev.skep.backend.Access;
import dev.skep.backend.Access.Credentials;
import dev.skep.backend.Access.TlsFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * As whom a process goes to its store or its log: {@code store.user} with {@code store.password-file} (or
 * {@code store.password}), {@code store.ca}, {@code store.certificate} with {@code store.key}; the same under {@code log}.
 */
public final class AccessSettings {
  private AccessSettings() {}

  /** @param scope {@code settings.of("store")} or {@code settings.of("log")} */
  public static Access from(Settings scope) {
    Optional<String> user = scope.text("user");
    Optional<String> password = scope.secret("password");
    Optional<Path> passwordFile = scope.text("password-file").map(Path::of);
    Optional<Path> ca = scope.text("ca").map(Path::of);
    Optional<Path> certificate = scope.text("certificate").map(Path::of);
    Optional<Path> key = scope.text("key").map(Path::of);
    if (password.isPresent() && passwordFile.isPresent()) {
      throw new SettingsException("password and password-file are both given: which one?");
    }
    if (user.isPresent() != (password.isPresent() || passwordFile.isPresent())) {
      throw new SettingsException("a user and its password belong together: give user and password-file, or none of them");
    }
    if (ca.isEmpty() && (certificate.isPresent() || key.isPresent())) {
      throw new SettingsException("a certificate is used over TLS only: give ca, too, the root that the servers' certificates come from");
    }
    if (certificate.isPresent() != key.isPresent()) {
      throw new SettingsException("certificate and key belong together: give both or none of them");
    }
    return new Access(user.map(name -> new Credentials(name, password.orElseGet(() -> firstLine(passwordFile.orElseThrow())))),
        ca.map(root -> new TlsFiles(root, certificate, key)));
  }

  private static String firstLine(Path file) {
    try {
      return Files.readString(file).lines().findFirst().orElse("");
    } catch (IOException e) {
      throw new SettingsException("cannot read the password in " + file + ": " + e.getMessage(), e);
    }
  }
}
