package dev.skep.agent.shell;

import dev.skep.backend.StoreException;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.grpc.ManagerKeys;
import dev.skep.runtime.identity.NodeCertificate;
import dev.skep.runtime.identity.NodeRole;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows what the cluster wants this node to be. First comes a certificate of the role; then a host that is promoted fetches
 * the cluster's keys, one that is demoted forgets them; and then the process starts again, because a manager's state is
 * elsewhere than a worker's. State is the agent's thread's.
 */
final class RoleChange {
  private static final Logger LOG = LoggerFactory.getLogger(RoleChange.class);
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1); // each try makes a user in the store

  private final Host host;
  private final Executor agent;
  private final NodeTrust trust;
  private String wanted = ""; // as the last session said it
  private String problem = ""; // why it is not yet the manager that it is to be
  private Duration pause = FIRST_PAUSE;
  private boolean changing;
  private long tries;
  private boolean closed;
  private Consumer<Runnable> farewell = Runnable::run;

  RoleChange(Host host, Executor agent, NodeTrust trust) {
    this.host = host;
    this.agent = agent;
    this.trust = trust;
  }

  void beforeRestart(Consumer<Runnable> said) {
    farewell = said;
  }

  /** @param role empty: as before */
  void heard(String role) {
    if (!role.isEmpty()) {
      wanted = role;
      look();
    }
  }

  /** There is another certificate. */
  void certified() {
    look();
  }

  private void look() {
    Optional<Identity> own = host.membership().current();
    Optional<NodeCertificate> certificate = host.trust().certificate();
    if (closed || changing || wanted.isEmpty() || own.isEmpty() || certificate.isEmpty()) {
      return;
    }
    boolean manages = wanted.equals(NodeRole.MANAGER.text());
    if (manages == own.get().manager() && manages == (certificate.get().name().role() == NodeRole.MANAGER)) {
      said("");
      pause = FIRST_PAUSE;
      return;
    }
    if (manages != (certificate.get().name().role() == NodeRole.MANAGER)) {
      trust.renew();
    } else if (manages) {
      promoted(own.get());
    } else {
      demoted(own.get());
    }
  }

  private void promoted(Identity worker) {
    changing = true;
    tries++;
    host.blocking("agent-promotion", () -> {
      try {
        ManagerKeys keys = ManagerKeys.fetch(worker.managers(), host.trust());
        host.tryStore(keys.access()); // a process that waits for a store out of reach runs no agent, and its tasks would move
        agent.execute(() -> promoted(worker, keys));
      } catch (StatusRuntimeException e) {
        agent.execute(() -> notYet("the cluster's keys cannot be had: " + e.getMessage()));
      } catch (StoreException e) {
        agent.execute(() -> notYet(e.getMessage()));
      }
    });
  }

  private void notYet(String why) {
    LOG.warn("no manager yet: {}; trying again in {}", why, pause);
    changing = false; // whoever changes its mind meanwhile does not have to wait
    said(why);
    long mine = tries;
    host.after(pause, () -> agent.execute(() -> {
      if (mine == tries) { // else somebody's wish has led to another try, which has its own pause
        look();
      }
    }));
    pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause.multipliedBy(2);
  }

  private void again() {
    changing = false;
    look();
  }

  private void said(String why) {
    if (!problem.equals(why)) {
      problem = why;
      trust.reported();
    }
  }

  /** Why this node is not the manager that it is to be; empty when nothing is in the way. */
  String problem() {
    return problem;
  }

  private void promoted(Identity worker, ManagerKeys keys) {
    if (closed || !wanted.equals(NodeRole.MANAGER.text()) || host.membership().current().filter(worker::equals).isEmpty()) {
      again();
      return;
    }
    farewell.accept(() -> {
      keys.install(host.dataFolder("identity"));
      List<String> managers = new ArrayList<>(List.of(worker.door()));
      managers.addAll(worker.managers());
      host.membership().prepare(worker.as(true, managers));
      host.restart("this node was promoted to a manager, and goes on with the cluster's store");
    });
  }

  private void demoted(Identity manager) {
    changing = true;
    farewell.accept(() -> {
      List<String> others = trust.managers().isEmpty() ? manager.managers().stream().skip(1).toList() : trust.managers();
      host.membership().prepare(manager.as(false, others));
      ManagerKeys.erase(host.dataFolder("identity"));
      host.restart("this node was demoted to a worker, and has no part in the cluster's store any more");
    });
  }

  void close() {
    closed = true;
  }
}
