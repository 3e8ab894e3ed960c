package dev.skep.runtime.config;

import dev.skep.backend.Access;
import dev.skep.backend.Access.Credentials;
import dev.skep.backend.Access.TlsFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * As whom a process goes to its store or its log: {@code store.user} with {@code store.password-file} (or
 * {@code store.password}), {@code store.ca}, {@code store.certificate} with {@code store.key}; the same under {@code log}.
 */
public final class AccessSettings {
  /** In the identity directory, which the processes of a host share; the names of the files that it names are relative to it. */
  public static final String FILE = "store.properties";

  private AccessSettings() {}

  /** What the settings say; when they say nothing, what the identity directory says. */
  public static Access from(Settings settings, String scope, Optional<Path> identity) {
    Access given = from(settings.of(scope));
    Optional<Path> file = identity.map(folder -> folder.resolve(FILE)).filter(Files::exists);
    if (!given.equals(Access.PLAIN) || file.isEmpty()) {
      return given;
    }
    Settings shared = Settings.load(file, Map.of(), List.of());
    shared.text("store"); // where they are stands there, too
    shared.text("log");
    Access store = from(shared.of("store"), file.get().getParent());
    Access log = from(shared.of("log"), file.get().getParent());
    shared.refuseUnknown();
    return scope.equals("store") ? store : log;
  }

  /** @param scope {@code settings.of("store")} or {@code settings.of("log")} */
  static Access from(Settings scope) {
    return from(scope, Path.of(""));
  }

  private static Access from(Settings scope, Path folder) {
    Optional<String> user = scope.text("user");
    Optional<String> password = scope.secret("password");
    Optional<Path> passwordFile = scope.text("password-file").map(folder::resolve);
    Optional<Path> ca = scope.text("ca").map(folder::resolve);
    Optional<Path> certificate = scope.text("certificate").map(folder::resolve);
    Optional<Path> key = scope.text("key").map(folder::resolve);
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
