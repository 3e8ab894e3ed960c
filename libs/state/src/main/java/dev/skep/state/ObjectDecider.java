package dev.skep.state;

import java.util.Set;

/**
 * A decider that treats one object at a time, so that one object it fails on is quarantined and the others go on.
 */
public interface ObjectDecider extends Decider {
  /** Ids of the objects that this delta may concern; all of them when the delta is everything. Sorted, to be repeatable. */
  Set<String> concerned(ClusterState state, Delta since);

  /** Decides about one object. */
  void decide(String objectId, ClusterState state, Tick tick, Decision.Builder decision);

  @Override
  default Decision decide(ClusterState state, Delta since, Tick tick) {
    Decision.Builder all = Decision.builder();
    for (String objectId : concerned(state, since)) {
      Decision.Builder one = Decision.builder();
      try {
        decide(objectId, state, tick, one);
      } catch (RuntimeException e) {
        all.quarantine(objectId, e.toString());
        continue;
      }
      Decision decision = one.build();
      decision.changes().forEach(all::add);
      decision.wakeAt().ifPresent(all::wakeAt);
      decision.quarantined().forEach(all::quarantine);
    }
    return all.build();
  }
}
