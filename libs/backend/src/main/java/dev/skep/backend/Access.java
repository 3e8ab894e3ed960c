package dev.skep.backend;

import java.nio.file.Path;
import java.util.Optional;

/** How a process reaches a store or a log on other machines: as whom, and whom it trusts. */
public record Access(Optional<Credentials> credentials, Optional<TlsFiles> tls) {
  /** Nobody in particular, over plain TCP. */
  public static final Access PLAIN = new Access(Optional.empty(), Optional.empty());

  /** A user of the store or the log. */
  public record Credentials(String user, String password) {
    /** Without the password: this gets printed. */
    @Override
    public String toString() {
      return "user " + user;
    }
  }

  /** PEM files: the root that the servers' certificates come from; our own certificate and its key (PKCS#8) where they ask for one. */
  public record TlsFiles(Path root, Optional<Path> certificate, Optional<Path> key) {
    public TlsFiles {
      if (certificate.isPresent() != key.isPresent()) {
        throw new IllegalArgumentException("a certificate and its key belong together: give both or none");
      }
    }
  }
}
