package dev.skep.state;

/**
 * Control logic as a pure function. Three laws hold for every decider and are tested on generated states: repeatable
 * (same input, same output), settled (apply the decision, decide again: nothing until {@code wakeAt}), narrow
 * (deciding from a delta equals deciding from everything).
 */
@FunctionalInterface
public interface Decider {
  Decision decide(ClusterState state, Delta since, Tick tick);
}
