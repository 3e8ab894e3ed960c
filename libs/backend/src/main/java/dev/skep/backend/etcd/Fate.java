package dev.skep.backend.etcd;

import io.grpc.Status;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import javax.net.ssl.SSLHandshakeException;

/** What a failed call means for its request. */
enum Fate {
  /** It never reached etcd, or etcd was too busy for it: it can be sent again. */
  NOT_DONE,
  /** etcd does not know, or no longer knows, who we are; it did nothing. */
  STRANGER,
  /** It may have been done, or may be done later. */
  UNKNOWN,
  /** etcd understood it and will not do it. */
  REFUSED;

  private static final String STRANGERS = " (store.user, store.password-file; 'skep admin grant' makes users)";

  static Fate of(Status status) {
    String said = said(status);
    return switch (status.getCode()) {
      case UNAVAILABLE -> neverSent(status.getCause()) ? NOT_DONE : UNKNOWN;
      case UNAUTHENTICATED -> STRANGER;
      case INVALID_ARGUMENT -> said.contains("user name is empty") || said.contains("revision of auth store is old") ? STRANGER : REFUSED;
      case RESOURCE_EXHAUSTED -> said.contains("too many requests") ? NOT_DONE : REFUSED;
      case DEADLINE_EXCEEDED, CANCELLED, INTERNAL, UNKNOWN, ABORTED, OK -> UNKNOWN;
      case NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED, DATA_LOSS -> REFUSED;
    };
  }

  /** No connection came about, so that nothing can have arrived. */
  private static boolean neverSent(Throwable cause) {
    for (Throwable why = cause; why != null; why = why.getCause()) {
      if (why instanceof ConnectException || why instanceof UnknownHostException || why instanceof NoRouteToHostException) {
        return true;
      }
      if (why instanceof SSLHandshakeException) { // TLS 1.3 refuses a certificate after the handshake, but before it reads a request
        return true;
      }
    }
    return false;
  }

  /** etcd knows us and does not let us, or its certificate is not one that we trust: more tries change nothing. */
  static boolean denies(Status status) {
    return status.getCode() == Status.Code.PERMISSION_DENIED || said(status).contains("authentication failed") || handshake(status) != null;
  }

  private static SSLHandshakeException handshake(Status status) {
    for (Throwable why = status.getCause(); why != null; why = why.getCause()) {
      if (why instanceof SSLHandshakeException failed) {
        return failed;
      }
    }
    return null;
  }

  static String said(Status status) {
    return status.getDescription() == null ? "" : status.getDescription();
  }

  static boolean compacted(Status status) {
    return status.getCode() == Status.Code.OUT_OF_RANGE && said(status).contains("has been compacted");
  }

  /** etcd is at its space quota. */
  static boolean full(Status status) {
    return said(status).contains("database space exceeded");
  }

  static boolean tooLargeToReceive(Status status) {
    return status.getCode() == Status.Code.RESOURCE_EXHAUSTED && said(status).startsWith("gRPC message exceeds");
  }

  /** The failure as a sentence that says what to do, where there is something to do. */
  static String sentence(Status status) {
    String said = said(status);
    if (full(status)) {
      return "etcd has reached its space quota and takes no more writes: compact and defragment it (etcdctl defrag --cluster), or raise"
          + " --quota-backend-bytes, and then clear the alarm (etcdctl alarm disarm)";
    }
    if (said.contains("request is too large") || said.contains("received message larger than max")) {
      return "the request is larger than etcd takes (--max-request-bytes, 1.5 MiB unless set): " + said;
    }
    return switch (status.getCode()) {
      case PERMISSION_DENIED -> "etcd refuses this to our user: " + said + "; 'skep admin grant' makes users with what each service needs";
      case UNAUTHENTICATED -> "etcd does not accept our credentials: " + said + STRANGERS;
      case INVALID_ARGUMENT -> said.contains("authentication failed") || said.contains("user name is empty")
          ? "etcd does not accept our credentials: " + said + STRANGERS : "etcd refuses it: " + said;
      case UNAVAILABLE, DEADLINE_EXCEEDED -> handshake(status) == null
          ? "no answer" + (said.isEmpty() ? "" : ": " + said) + cause(status) : tls(handshake(status));
      case OK, CANCELLED, UNKNOWN, NOT_FOUND, ALREADY_EXISTS, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNIMPLEMENTED,
          INTERNAL, DATA_LOSS -> "etcd: " + (said.isEmpty() ? status.getCode().name() : said);
    };
  }

  private static String tls(SSLHandshakeException failed) {
    String what = String.valueOf(failed.getMessage());
    if (what.contains("certification path") || what.contains("PKIX")) {
      return "etcd's certificate does not come from the root that we were given (store.ca): " + what;
    }
    return "no TLS with etcd: " + what + " (store.ca is the root of its certificate; store.certificate and store.key are ours, where it asks for one)";
  }

  private static String cause(Status status) {
    return status.getCause() == null || status.getCause().getMessage() == null ? "" : " (" + status.getCause().getMessage() + ")";
  }
}
