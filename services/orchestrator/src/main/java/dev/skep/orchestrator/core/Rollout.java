package dev.skep.orchestrator.core;

import dev.skep.api.v1.Placement;
import dev.skep.api.v1.TaskSpec;
import dev.skep.state.NodeRecord;
import dev.skep.state.Rows;
import dev.skep.state.Times;
import dev.skep.state.v1.RolloutRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TemplateRow;
import dev.skep.state.v1.Wait;
import java.time.Instant;
import java.util.Collection;
import java.util.List;

/**
 * Brings the tasks of a service to its current template, a few slots at a time. How far it is stands in the tasks
 * themselves; its row says only what the user sees, and when the watch over the last slot ends.
 */
final class Rollout {
  static final String UPDATING = "updating";
  static final String PAUSED = "paused";
  static final String COMPLETED = "completed";

  private final Case service;
  private final Collection<Slot> slots;
  private final RolloutPolicy policy;
  private final RolloutRow stored; // null: none about this generation
  private RolloutRow row;

  Rollout(Case service, Collection<Slot> slots) {
    this.service = service;
    this.slots = slots;
    this.policy = RolloutPolicy.of(service.spec().serviceRow().value());
    this.stored = current(service);
    this.row = stored;
  }

  /** In the middle of it: every step concerns the whole service. */
  static boolean proceeding(Case service) {
    RolloutRow row = current(service);
    return row != null && row.getState().equals(UPDATING);
  }

  /** It failed, and stands still until the user asks for something else. */
  static boolean paused(Case service) {
    RolloutRow row = current(service);
    return row != null && row.getState().equals(PAUSED);
  }

  /** What the row says about today's request; null when it speaks about an older one. */
  static RolloutRow current(Case service) {
    RolloutRow row = service.state().value(Rows.ROLLOUT.key(service.spec().serviceId()));
    return row != null && row.getGeneration() == service.spec().serviceRow().value().getGeneration() ? row : null;
  }

  /** Looks for tasks of this update that failed, before restarts hide them. */
  void watch() {
    if (!inState(UPDATING) || !policy.pauseOnFailure()) {
      return;
    }
    List<Task> failed = slots.stream().flatMap(slot -> slot.tasks().stream()).filter(this::failed).toList();
    long filled = slots.stream().filter(slot -> slot.current() != null).count();
    if (!failed.isEmpty() && failed.size() > policy.maxFailureRatio() * filled) {
      String text = "update paused due to failure or early termination of task " + failed.getFirst().id();
      row = row.toBuilder().setState(PAUSED).setMessage(text).clearNextStep().build();
    }
  }

  /** Replaces as many tasks as may be replaced now. */
  void proceed() {
    List<Slot> outdated = slots.stream().filter(slot -> outdated(service, slot)).toList();
    if (!outdated.isEmpty() && (row == null || inState(COMPLETED))) {
      row =
          RolloutRow.newBuilder()
              .setServiceId(service.spec().serviceId())
              .setGeneration(service.spec().serviceRow().value().getGeneration())
              .setState(UPDATING)
              .setStartedAt(Times.of(service.now()))
              .setMessage("update in progress")
              .build();
    }
    if (!inState(UPDATING)) {
      return;
    }
    long busy = slots.stream().filter(this::busy).count();
    long free = policy.parallelism() == 0 ? Long.MAX_VALUE : policy.parallelism() - busy;
    for (Slot slot : outdated) {
      if (free-- <= 0) {
        break;
      }
      replace(slot);
      busy++;
    }
    finish(outdated.isEmpty() && busy == 0);
  }

  void write() {
    if (row != null && !row.equals(stored)) {
      service.plan().putRollout(row);
    }
  }

  /** The slot runs something else than the service asks for, and may be touched now. */
  static boolean outdated(Case service, Slot slot) {
    Task task = slot.current();
    if (task == null || task.intent().getTemplate() == service.template()) {
      return false;
    }
    if (!service.spec().global()) {
      return true;
    }
    NodeRecord node = NodeRecord.find(service.state(), slot.key());
    return node != null && node.takesTasks() && service.fits(node);
  }

  /**
   * A task whose template differs from the current one by nothing, or by placement constraints alone which its node
   * meets, is up to date: it is given the new number and runs on.
   */
  static void adopt(Case service, Task task) {
    if (!task.live() || task.intent().getTemplate() == service.template()) {
      return;
    }
    TemplateRow mine = service.templateOf(task);
    TemplateRow wanted = service.spec().template();
    if (mine == null || !mine.getEndpoint().equals(wanted.getEndpoint())) {
      return;
    }
    boolean same = mine.getTask().equals(wanted.getTask());
    if (same || withoutConstraints(mine).equals(withoutConstraints(wanted)) && task.node() != null && service.fits(task.node())) {
      task.change(task.intent().toBuilder().setTemplate(service.template()), service.now());
    }
  }

  private static TaskSpec withoutConstraints(TemplateRow template) {
    Placement placement = template.getTask().getPlacement().toBuilder().clearConstraints().build();
    TaskSpec.Builder task = template.getTask().toBuilder();
    return (placement.equals(Placement.getDefaultInstance()) ? task.clearPlacement() : task.setPlacement(placement)).build();
  }

  /** Start-first: the old task goes when the new one runs. */
  static void retire(Case service, Slot slot) {
    Task current = slot.current();
    if (current == null || !current.live() || current.reported() != TaskState.TASK_RUNNING) {
      return;
    }
    // Also those before the one it replaces: an update that came during another has left them.
    slot.live().stream().filter(task -> task != current).forEach(task -> task.want(TaskState.TASK_SHUTDOWN, service.now()));
  }

  private boolean inState(String state) {
    return row != null && row.getState().equals(state);
  }

  private void replace(Slot slot) {
    Task old = slot.current();
    if (policy.startFirst() && old.live()) {
      startBeside(slot);
      return;
    }
    slot.live().forEach(task -> task.want(TaskState.TASK_SHUTDOWN, service.now()));
    service.replace(slot, old, null);
  }

  /** Start-first: of those that are there one stays until the new one runs, the one that serves if any does. */
  private void startBeside(Slot slot) {
    List<Task> live = slot.live();
    Task kept = live.stream().filter(task -> task.reported() == TaskState.TASK_RUNNING).findFirst().orElse(live.getLast());
    live.stream().filter(task -> task != kept).forEach(task -> task.want(TaskState.TASK_SHUTDOWN, service.now()));
    service.create(slot, TaskState.TASK_RUNNING, kept, null);
  }

  /** One that took another's place without being a restart. */
  private boolean ofUpdate(Task task) {
    return task.intent().getTemplate() == service.template() && !task.intent().getReplaces().isEmpty() && !task.intent().hasStartAfter();
  }

  /** The slot still counts against the parallelism. */
  private boolean busy(Slot slot) {
    Task task = slot.current();
    if (task == null || !task.live() || !ofUpdate(task) || task.ended()) {
      return false;
    }
    if (task.desired() == TaskState.TASK_READY || task.reported() != TaskState.TASK_RUNNING) {
      return true;
    }
    Instant rested = Times.end(task.reportedAt(), policy.delay(), service.now());
    if (rested.isAfter(service.now())) {
      service.plan().wakeAt(rested);
      return true;
    }
    return false;
  }

  private boolean failed(Task task) {
    if (!task.ended() || !ofUpdate(task) || !task.intent().getRejected().isEmpty()) {
      return false;
    }
    if (Times.of(task.intent().getCreatedAt()).isBefore(Times.of(row.getStartedAt()))) {
      return false;
    }
    return switch (task.reported()) {
      case TASK_REJECTED -> true;
      case TASK_FAILED, TASK_COMPLETE -> task.live() && early(task);
      default -> false;
    };
  }

  /** It never ran, or ended within the watch. When it began to run is not stored; its start order is the nearest known time. */
  private boolean early(Task task) {
    Instant ordered = Times.of(task.intent().getUpdatedAt());
    return task.message().equals("starting") || !task.reportedAt().isAfter(ordered.plus(policy.monitor().multipliedBy(2)));
  }

  private void finish(boolean idle) {
    if (!idle) {
      row = row.toBuilder().clearNextStep().build();
      return;
    }
    Instant now = service.now();
    Wait watch = row.hasNextStep() ? Times.bounded(row.getNextStep(), now) : Times.waitFor(policy.monitor(), service.state(), now);
    Instant due = Times.of(watch.getDue());
    if (due.isAfter(now)) {
      service.plan().wakeAt(due);
      row = row.toBuilder().setNextStep(watch).build();
      return;
    }
    row = row.toBuilder().clearNextStep().setState(COMPLETED).setMessage("update completed").setCompletedAt(Times.of(now)).build();
  }
}
