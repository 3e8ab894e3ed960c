package dev.skep.runtime.host;

import dev.skep.runtime.Membership;
import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.grpc.ManagerKeys;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.identity.Trust;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A manager's host that the store does not let in: it was demoted while it could not hear of it, or its user was made anew.
 * Another manager knows which. What it says is written down, for the process's next start.
 *
 * @param identity the folder that says who this host is
 */
public record ShutOut(Membership membership, Trust trust, Path identity) {
  /** What came of asking. */
  public sealed interface Answer {
    /** Why the process has to start again. */
    record Again(String why) implements Answer {}

    /** Nothing is known yet. */
    record Unknown(String why) implements Answer {}
  }

  /** Whether the process goes to its store as the user that stands in the identity which it writes itself. */
  public boolean concerns(Optional<String> user) {
    return user.isPresent() && membership.current().filter(Identity::manager).isPresent()
        && StoreAccess.read(identity).filter(there -> there.user("store").equals(user)).isPresent();
  }

  /** Blocks. */
  public Answer ask() {
    Identity self = membership.current().orElseThrow();
    List<String> others = self.managers().stream().skip(1).toList();
    try {
      ManagerKeys.fetch(others, trust).install(identity);
      return new Answer.Again("the store did not let this manager in any more; another manager gave it a new user");
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() != Status.Code.PERMISSION_DENIED) {
        return new Answer.Unknown("the store does not let this manager in any more, and no other manager says why: " + e.getMessage());
      }
      membership.prepare(self.as(false, others));
      ManagerKeys.erase(identity);
      return new Answer.Again("this node was demoted to a worker, and has no part in the cluster's store any more");
    }
  }
}
