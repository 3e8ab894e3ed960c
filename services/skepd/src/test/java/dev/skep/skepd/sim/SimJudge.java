package dev.skep.skepd.sim;

import dev.skep.dispatcher.core.Heard;
import dev.skep.dispatcher.core.Holding;
import dev.skep.dispatcher.core.Liveness;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.testkit.sim.SimProcess;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** Who was heard when by one life of a dispatcher, and the real judge. */
final class SimJudge {
  private final SimProcess process;
  private final String me;
  private final Mutant mutant;
  private final BooleanSupplier leads;
  private final Justice justice;
  private final Map<String, Heard> heard = new HashMap<>();
  private Liveness liveness;

  /** @param leads whether nodes whose session is with nobody are this one's to judge */
  SimJudge(SimProcess process, String me, Mutant mutant, BooleanSupplier leads) {
    this.process = process;
    this.me = me;
    this.mutant = mutant;
    this.leads = leads;
    this.justice = new Justice(process);
    this.liveness = Liveness.fresh(process.now());
  }

  void knocks(String nodeId) {
    heard.put(nodeId, Heard.knocking(process.now()));
    justice.heard(nodeId);
  }

  void hears(String nodeId) {
    heard.put(nodeId, new Heard(process.now(), false));
    justice.heard(nodeId);
  }

  void forget(String nodeId) {
    heard.remove(nodeId);
  }

  void over(String nodeId, boolean here) {
    if (here) {
      heard.computeIfPresent(nodeId, (_, last) -> last.withoutSession());
    } else {
      heard.remove(nodeId);
    }
  }

  List<ChangeSet> judge(ClusterState state) {
    state.rows(Rows.NODE_STATUS).forEach(row -> {
      String node = row.key().lastPart();
      if (!heard.containsKey(node) && (!leads.getAsBoolean() || Holding.elsewhere(state, node, me).isPresent())) {
        justice.notMine(node);
      }
    });
    Liveness.Judgement judgement = mutant == Mutant.JUDGES_OTHERS
        ? liveness.judge(state, heard, true, process.now())
        : judge().judge(state, heard, me, leads.getAsBoolean(), process.now());
    liveness = judgement.next();
    justice.judged(state, judgement.decision());
    return judgement.decision().changes();
  }

  private Liveness judge() {
    return mutant == Mutant.JUDGE_IGNORES_LATENESS
        ? new Liveness(liveness.startedAt(), process.now(), process.now(), liveness.watched(), liveness.panicUntil(), liveness.deafUntil())
        : liveness;
  }
}
