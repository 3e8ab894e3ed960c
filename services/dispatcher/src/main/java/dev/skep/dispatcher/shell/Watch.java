package dev.skep.dispatcher.shell;

import dev.skep.dispatcher.core.Heard;
import dev.skep.dispatcher.core.Liveness;
import dev.skep.state.ClusterState;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who was heard when, and the judge. Belongs to the dispatcher's thread. */
final class Watch {
  private static final Logger LOG = LoggerFactory.getLogger(Watch.class);

  private final String me;
  private final BooleanSupplier leads;
  private final BooleanSupplier cutOff;
  private final Committer committer;
  private final Supplier<Optional<String>> neighbour;
  private final DispatcherMetrics metrics;
  private final Map<String, Heard> heard = new HashMap<>();
  private Liveness judge;
  private volatile boolean writing; // one judgement at a time is on its way to the store
  private boolean panic;

  /**
   * @param me this dispatcher's id
   * @param leads whether this dispatcher is the one that judges nodes whose session is with nobody
   * @param cutOff whether the store does not keep this dispatcher's row alive
   * @param neighbour the node whose agent runs in this process, if there is one
   */
  Watch(
      String me, Committer committer, DispatcherMetrics metrics, BooleanSupplier leads, BooleanSupplier cutOff,
      Supplier<Optional<String>> neighbour, Instant now) {
    this.me = me;
    this.leads = leads;
    this.cutOff = cutOff;
    this.committer = committer;
    this.neighbour = neighbour;
    this.metrics = metrics;
    this.judge = Liveness.fresh(now);
  }

  void heard(String nodeId, Instant now, boolean inProcess) {
    heard.put(nodeId, new Heard(now, inProcess));
  }

  /** It asks for a session: it lives, and beats only when it has one. */
  void knocked(String nodeId, Instant now) {
    heard.compute(nodeId, (id, before) -> before != null && before.inProcess() ? new Heard(now, true) : Heard.knocking(now));
  }

  void forget(Collection<String> nodeIds) {
    heard.keySet().removeAll(nodeIds);
  }

  /** Its session is over. While the next one is this dispatcher's, too, nobody else judges it. */
  void over(String nodeId, boolean here) {
    if (here) {
      heard.computeIfPresent(nodeId, (_, last) -> last.withoutSession());
    } else {
      heard.remove(nodeId);
    }
  }

  /** A dispatcher is gone, and with it what its own host's agent was heard by: unless it comes back, that host is gone, too. */
  void orphaned(String nodeId, Duration silence, Instant now) {
    heard.put(nodeId, Heard.through(silence, now));
  }

  /** Judges, and has the judgement written. */
  Instant tick(ClusterState state, Instant now) {
    neighbour.get().ifPresent(node -> heard.putIfAbsent(node, new Heard(now, true)));
    Liveness.Judgement judgement = (cutOff.getAsBoolean() ? judge.cutOff(now) : judge).judge(state, heard, me, leads.getAsBoolean(), now);
    judge = judgement.next();
    metrics.suspects().set(judgement.suspects());
    metrics.panic().set(judgement.panic() ? 1 : 0);
    if (panic != judgement.panic()) {
      panic = judgement.panic();
      LOG.warn(panic ? "more than a third of the nodes are silent: none is taken out of traffic" : "enough nodes are heard again");
    }
    if (!writing && !judgement.decision().changes().isEmpty()) {
      writing = true;
      committer
          .submit(Proposal.of(at -> new Proposal.Plan.Write(
              judgement.decision().changes().stream().filter(change -> Batch.holds(change, at)).toList())))
          // What did not land is judged again at the next tick.
          .whenComplete((revision, failure) -> writing = false);
    }
    return judgement.decision().wakeAt().orElseThrow();
  }
}
