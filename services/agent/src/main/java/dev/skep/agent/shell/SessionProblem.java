package dev.skep.agent.shell;

import dev.skep.runtime.identity.NodeCertificate;
import io.grpc.Status;
import java.time.Instant;
import java.util.Optional;
import javax.net.ssl.SSLException;

/** Why there is no session with the cluster, in words that say what to do. */
final class SessionProblem {
  private static final String REJOIN = "take the node out and in again (docker swarm leave, then docker swarm join)";

  /** gRPC's word for a server that is gone in the middle of a call. */
  private static final String BROKE_OFF = "Network closed for unknown reason";

  private SessionProblem() {}

  /** @param certificate what this node proves itself with */
  static String text(Status why, Optional<NodeCertificate> certificate, Instant now) {
    // What gRPC says of a connection names the reason only in its cause.
    String cause = why.getCode() == Status.Code.UNAVAILABLE && why.getCause() != null ? ": " + why.getCause().getMessage() : "";
    String said = (BROKE_OFF.equals(why.getDescription()) ? "the connection to the manager broke off, and no other manager can be reached" : why.getDescription()) + cause;
    if (!refused(why.getCause())) {
      return said;
    }
    Optional<Instant> expired = certificate.map(NodeCertificate::ends).filter(end -> end.isBefore(now));
    return expired.map(end -> "this node's certificate expired at " + end + "; if its clock is right, " + REJOIN + ". " + said)
        .orElse("the manager and this node do not accept each other's certificates; if the clocks are right, the cluster's root was rotated"
            + " while this node was away: " + REJOIN + ". " + said);
  }

  private static boolean refused(Throwable cause) {
    for (Throwable each = cause; each != null; each = each.getCause()) {
      if (each instanceof SSLException) {
        return true;
      }
    }
    return false;
  }
}
