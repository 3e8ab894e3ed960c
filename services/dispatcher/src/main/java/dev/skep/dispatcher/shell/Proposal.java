package dev.skep.dispatcher.shell;

import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import io.grpc.Status;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * Something that wants to be written: what exactly is worked out against the state just before the commit, and again
 * when the commit met a conflict. {@code done}: the revision at which all of it is durable.
 */
record Proposal(Function<ClusterState, Plan> plan, CompletableFuture<Long> done) {

  /** What a proposal comes to. */
  sealed interface Plan {
    /** Writes; none when there is nothing to say. */
    record Write(List<ChangeSet> changes) implements Plan {}

    record Refuse(Status why) implements Plan {}
  }

  static Proposal of(Function<ClusterState, Plan> plan) {
    return new Proposal(plan, new CompletableFuture<>());
  }
}
