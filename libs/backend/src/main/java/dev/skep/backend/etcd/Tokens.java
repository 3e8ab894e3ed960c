package dev.skep.backend.etcd;

import dev.skep.backend.Access.Credentials;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.Optional;

/** The token that etcd gave us for user and password. It ends when it likes: with its time, or with a restart. */
final class Tokens {
  private static final Metadata.Key<String> HEADER = Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);
  /** etcd asks nobody who they are. */
  static final String NONE = "";

  private final Optional<Credentials> credentials;
  private volatile String token; // null: must be got first

  Tokens(Optional<Credentials> credentials) {
    this.credentials = credentials;
  }

  /** Credentials that must be turned into a token before anything else can be asked. */
  Optional<Credentials> wanted() {
    return token == null ? credentials : Optional.empty();
  }

  String current() {
    return token;
  }

  void got(String fresh) {
    token = fresh;
  }

  /** etcd refused this one; a newer one that somebody else got meanwhile stays. */
  synchronized void refused(String old) {
    if (token != null && token.equals(old)) {
      token = null;
    }
  }

  /**
   * How a failure is to be taken that was met with this token. Without one, as etcd asked nobody, etcd takes who shows a
   * certificate for a user of that name as soon as it asks: nobody with a password is refused for that.
   */
  Fate fate(Status failure, String with) {
    boolean unnamed = credentials.isPresent() && NONE.equals(with);
    return unnamed && failure.getCode() == Status.Code.PERMISSION_DENIED ? Fate.STRANGER : Fate.of(failure);
  }

  void write(Metadata headers) {
    String now = token;
    if (now != null && !now.isEmpty()) {
      headers.put(HEADER, now);
    }
  }
}
