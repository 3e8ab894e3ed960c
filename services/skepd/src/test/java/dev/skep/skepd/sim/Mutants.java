package dev.skep.skepd.sim;

import com.google.protobuf.Message;
import dev.skep.backend.Store.Compare;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Transaction;
import dev.skep.dispatcher.core.NodeLife;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.Delta;
import dev.skep.state.Key;
import dev.skep.state.RowKind;
import dev.skep.state.Rows;
import dev.skep.state.Subnet;
import dev.skep.state.TaskRecord;
import dev.skep.state.Write;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.state.v1.TemplateRow;
import dev.skep.testkit.sim.SimLog;
import dev.skep.testkit.sim.SimStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/** Plants bugs around the real parts: in what they see, in what they decide, in what is compared when it lands. */
final class Mutants {
  private static final int LIKELY_TAKEN = 3;
  private static final int RARELY = 25;
  private static final int OLD = 40; // revisions

  private Mutants() {}

  /** Bugs in what is compared and written. */
  static void plant(Mutant mutant, SimStore store, SimLog log) {
    switch (mutant) {
      case NO_CHAIN -> store.tamperWith((writer, sent) -> without(sent, compare -> compare.key().startsWith("leader/")));
      case NO_PARENT_GUARD -> store.tamperWith((writer, sent) ->
          without(sent, compare -> compare instanceof Compare.Exists || compare.key().startsWith(Rows.REF.prefix())));
      case STATUS_BACKWARDS -> store.tamperWith((writer, sent) -> without(sent, compare -> compare.key().startsWith(Rows.STATUS.prefix())));
      case FOREIGN_ROW -> store.tamperWith((writer, sent) -> writer.startsWith("scheduler") ? alsoIntent(store.state(), sent) : sent);
      case REMOVED_NODE_REGISTERS -> store.tamperWith((writer, sent) -> writer.startsWith(SimDispatcher.WRITER)
          ? without(sent, compare -> compare.key().startsWith(Rows.NODE_SPEC.prefix()))
          : sent);
      case FORGETS_INTENT -> store.tamperWith((writer, sent) ->
          writer.startsWith("orchestrator") && store.revision() % RARELY == 0 ? forgetful(store.state(), sent) : sent);
      case SESSION_NOT_COMPARED -> store.tamperWith((writer, sent) -> writer.startsWith(SimDispatcher.WRITER)
          ? without(sent, compare -> compare.key().startsWith(Rows.SESSION.prefix()))
          : sent);
      case LOG_FENCES_NOBODY -> log.fenceNobody();
      default -> { }
    }
  }

  private static Transaction without(Transaction sent, Predicate<Compare> dropped) {
    return new Transaction(sent.compares().stream().filter(dropped.negate()).toList(), sent.operations());
  }

  private static Transaction alsoIntent(ClusterState state, Transaction sent) {
    List<Operation> operations = new ArrayList<>(sent.operations());
    for (Operation operation : sent.operations()) {
      if (operation.key().startsWith(Rows.PLACEMENT.prefix())) {
        Key<TaskIntentRow> intent = Rows.INTENT.key(operation.key().substring(Rows.PLACEMENT.prefix().length()));
        if (state.has(intent)) {
          operations.add(new Operation.Put(intent.path(), state.value(intent).toByteArray()));
        }
      }
    }
    return new Transaction(sent.compares(), operations);
  }

  private static Transaction forgetful(ClusterState state, Transaction sent) {
    List<Operation> operations = new ArrayList<>(sent.operations());
    state.rows(Rows.INTENT).forEach(row -> {
      boolean untouched = operations.stream().noneMatch(operation -> operation.key().equals(row.key().path()));
      if (untouched && operations.size() == sent.operations().size()) {
        operations.add(new Operation.Delete(row.key().path()));
      }
    });
    return new Transaction(sent.compares(), operations);
  }

  /** Bugs in what a decider sees and decides. */
  static Decider mutated(Mutant mutant, Decider real, String loop, SimStore store) {
    return switch (mutant) {
      case ADDRESS_TOO_EARLY -> only("allocator", loop, real, (state, since, tick) ->
          real.decide(pretend(state, task -> task.desired().getNumber() >= TaskState.TASK_SHUTDOWN_VALUE), since, tick));
      case BLIND_PLACEMENT -> only("scheduler", loop, real, (state, since, tick) -> real.decide(pretend(state, task -> true), since, tick));
      case DOUBLE_PLACEMENT -> only("scheduler", loop, real, (state, since, tick) -> real.decide(unplaced(state), since, tick));
      case SUSPECT_TAKEN_FOR_DEAD -> only("orchestrator", loop, real, (state, since, tick) ->
          real.decide(suspectsDown(state), Delta.EVERYTHING, tick));
      case GATEWAY_TOO_EARLY -> only("allocator", loop, real, (state, since, tick) -> real.decide(withoutBridges(state), since, tick));
      case CONSTRAINTS_IGNORED -> only("scheduler", loop, real, (state, since, tick) -> real.decide(withoutConstraints(state), since, tick));
      case STANDBY_WITH_OLD_VIEW -> (state, since, tick) -> real.decide(
          since.everything() ? store.at(Math.max(store.oldest(), state.revision() - OLD)).state() : state, since, tick);
      case FIRST_ADDRESS_ALWAYS -> only("allocator", loop, real, rewriting(real, Mutants::sameAddress));
      case IMPATIENT_REPLACEMENT -> only("orchestrator", loop, real, rewriting(real, Mutants::atOnce));
      case NO_REMOVAL -> only("orchestrator", loop, real, (state, since, tick) ->
          keeping(real.decide(state, since, tick), set -> state.has(Rows.SERVICE.key(set.about()))));
      case NO_SWEEP -> loop.equals("orchestrator") ? real : (state, since, tick) ->
          keeping(real.decide(state, since, tick), set -> set.writes().stream().noneMatch(Write.Delete.class::isInstance));
      case NO_WAKE -> (state, since, tick) -> {
        Decision decision = real.decide(state, since, tick);
        return new Decision(decision.changes(), Optional.empty(), decision.quarantined());
      };
      default -> real;
    };
  }

  private static Decider only(String where, String loop, Decider real, Decider mutated) {
    return where.equals(loop) ? mutated : real;
  }

  /** The state as if these placed tasks had ended. */
  private static ClusterState pretend(ClusterState state, Predicate<TaskRecord> which) {
    List<ClusterState.Stored> changes = new ArrayList<>();
    state.rows(Rows.INTENT).forEach(row -> {
      TaskRecord task = TaskRecord.find(state, row.key().lastPart());
      if (!task.nodeId().isEmpty() && !task.terminal() && which.test(task)) {
        TaskStatusRow status = TaskStatusRow.newBuilder().setTaskId(task.id()).setState(TaskState.TASK_SHUTDOWN).build();
        changes.add(new ClusterState.Stored(Rows.STATUS.key(task.id()).path(), status.toByteArray(), state.revision(), state.revision()));
      }
    });
    return state.apply(state.revision(), changes).state();
  }

  private static ClusterState suspectsDown(ClusterState state) {
    return rewritten(state, Rows.NODE_STATUS, row -> NodeLife.of(row) == NodeLife.DISCONNECTED ? row.toBuilder().setState("down").build() : row);
  }

  private static ClusterState withoutBridges(ClusterState state) {
    return rewritten(state, Rows.NODE_STATUS, row -> row.toBuilder().clearNetworkIds().build());
  }

  private static ClusterState withoutConstraints(ClusterState state) {
    return rewritten(state, Rows.TEMPLATE, row -> {
      TemplateRow.Builder template = row.toBuilder();
      template.getTaskBuilder().clearPlacement();
      return template.build();
    });
  }

  private static <T extends Message> ClusterState rewritten(ClusterState state, RowKind<T> kind, UnaryOperator<T> rewrite) {
    List<ClusterState.Stored> changes = new ArrayList<>();
    state.rows(kind).forEach(row -> {
      T after = rewrite.apply(row.value());
      if (!after.equals(row.value())) {
        changes.add(new ClusterState.Stored(row.key().path(), after.toByteArray(), row.createRevision(), row.modRevision()));
      }
    });
    return changes.isEmpty() ? state : state.apply(state.revision(), changes).state();
  }

  private static ClusterState unplaced(ClusterState state) {
    List<ClusterState.Stored> changes = new ArrayList<>();
    state.rows(Rows.PLACEMENT).forEach(row -> {
      if (!state.has(Rows.STATUS.key(row.key().lastPart()))) {
        changes.add(new ClusterState.Stored(row.key().path(), null, 0, state.revision()));
      }
    });
    return state.apply(state.revision(), changes).state();
  }

  private interface Rewrite {
    Write of(Write write);
  }

  private static Decider rewriting(Decider real, Rewrite rewrite) {
    return (state, since, tick) -> {
      Decision decision = real.decide(state, since, tick);
      List<ChangeSet> sets = decision.changes().stream()
          .map(set -> new ChangeSet(set.about(), set.writes().stream().map(rewrite::of).toList(), set.guards()))
          .toList();
      return new Decision(sets, decision.wakeAt(), decision.quarantined());
    };
  }

  private static Decision keeping(Decision decision, Predicate<ChangeSet> kept) {
    return new Decision(decision.changes().stream().filter(kept).toList(), decision.wakeAt(), decision.quarantined());
  }

  private static Write sameAddress(Write write) {
    Message value = write instanceof Write.Put<?> put ? put.value() : null;
    if (!(value instanceof TaskAddressRow row)) {
      return write;
    }
    TaskAddressRow.Builder same = row.toBuilder();
    same.getAddressesBuilderList().forEach(address -> {
      Subnet subnet = Subnet.parse(address.getAddress());
      address.setAddress(subnet.interfaceText(subnet.base() + LIKELY_TAKEN));
    });
    return new Write.Put<>(Rows.ADDRESS.key(row.getTaskId()), same.build());
  }

  private static Write atOnce(Write write) {
    Message value = write instanceof Write.Put<?> put ? put.value() : null;
    return value instanceof TaskIntentRow intent && intent.getDesired() == TaskState.TASK_READY
        ? new Write.Put<>(Rows.INTENT.key(intent.getId()), intent.toBuilder().setDesired(TaskState.TASK_RUNNING).build())
        : write;
  }
}
