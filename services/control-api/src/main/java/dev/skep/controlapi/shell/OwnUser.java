package dev.skep.controlapi.shell;

import dev.skep.backend.StoreException;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.grpc.ManagerKeys;
import dev.skep.runtime.identity.StoreAccess;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * For a manager that the store does not let in any more: it was demoted while it could not hear of it, or its users were
 * made anew. Another manager knows which, and gives it what it needs to go on.
 */
final class OwnUser implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OwnUser.class);
  private static final Duration PAUSE = Duration.ofSeconds(5);
  private static final int REFUSALS = 2;

  private final Host host;
  private volatile AutoCloseable timer = () -> {};
  private volatile boolean closed;
  private int refused;

  OwnUser(Host host) {
    this.host = host;
    again();
  }

  private void again() {
    if (!closed && host.storeAccess().shared() && host.storeAccess().user("store").isPresent()) {
      timer = host.after(PAUSE, () -> host.blocking("control-api-own-user", this::look));
    }
  }

  private void look() {
    Optional<Identity> self = host.membership().current().filter(Identity::manager);
    if (self.isPresent() && refuses() && ours()) {
      ask(self.get());
    }
    again();
  }

  private boolean refuses() {
    try {
      host.store().revision();
      refused = 0;
    } catch (StoreException e) {
      refused = e.denied() ? refused + 1 : 0;
    }
    return refused >= REFUSALS;
  }

  /** What this process goes by stands in the identity that it writes itself; else somebody gave it as a setting. */
  private boolean ours() {
    Path identity = host.dataFolder("identity");
    return StoreAccess.read(identity).filter(there -> there.user("store").equals(host.storeAccess().user("store"))).isPresent();
  }

  private void ask(Identity self) {
    List<String> others = self.managers().stream().skip(1).toList();
    Path identity = host.dataFolder("identity");
    try {
      ManagerKeys.fetch(others, host.trust()).install(identity);
      host.restart("the store does not let this manager in any more; another manager gave it a new user");
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() != Status.Code.PERMISSION_DENIED) {
        LOG.warn("the store does not let this manager in any more, and no other manager says why: {}", e.getMessage());
        return;
      }
      host.membership().prepare(self.as(false, others));
      ManagerKeys.erase(identity);
      host.restart("this node was demoted to a worker, and has no part in the cluster's store any more");
    }
  }

  @Override
  public void close() {
    closed = true;
    Cluster.close(timer);
  }
}
