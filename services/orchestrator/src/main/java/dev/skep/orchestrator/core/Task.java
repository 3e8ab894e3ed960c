package dev.skep.orchestrator.core;

import dev.skep.state.ClusterState;
import dev.skep.state.NodeRecord;
import dev.skep.state.Row;
import dev.skep.state.TaskRecord;
import dev.skep.state.Times;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import java.time.Instant;

/** One task while a decision is made about it: what is stored, and what is to be stored. Lives within one decision only. */
final class Task {
  private final TaskRecord record; // null: decided just now
  private final boolean placed;
  private final NodeRecord node;
  private TaskIntentRow intent;
  private boolean deleted;

  private Task(TaskRecord record, TaskIntentRow intent, boolean placed, NodeRecord node) {
    this.record = record;
    this.intent = intent;
    this.placed = placed;
    this.node = node;
  }

  static Task stored(ClusterState state, String taskId) {
    TaskRecord record = TaskRecord.find(state, taskId);
    String nodeId = record.nodeId();
    return new Task(record, record.intent(), !nodeId.isEmpty(), nodeId.isEmpty() ? null : NodeRecord.find(state, nodeId));
  }

  static Task fresh(TaskIntentRow intent) {
    return new Task(null, intent, false, null);
  }

  String id() {
    return intent.getId();
  }

  /** The store's clock, which never goes back; a task decided just now is younger than all stored ones. */
  long createdAtRevision() {
    return record == null ? Long.MAX_VALUE : record.intentRow().createRevision();
  }

  TaskIntentRow intent() {
    return intent;
  }

  TaskState desired() {
    return intent.getDesired();
  }

  /** Meant to run, now or soon. */
  boolean live() {
    return !deleted && intent.getDesiredValue() < TaskState.TASK_SHUTDOWN_VALUE;
  }

  boolean fresh() {
    return record == null;
  }

  boolean deleted() {
    return deleted;
  }

  boolean changed() {
    return record == null ? !deleted : deleted || !intent.equals(record.intent());
  }

  /** What its node last said; NEW as long as it said nothing. */
  TaskState reported() {
    return record == null || record.statusRow() == null ? TaskState.TASK_NEW : record.statusRow().value().getState();
  }

  /** What its node last said beside the state. */
  String message() {
    return record == null || record.statusRow() == null ? "" : record.statusRow().value().getMessage();
  }

  /** When the dispatcher took its last status down; null before the first. */
  Instant reportedAt() {
    if (record == null || record.statusRow() == null) {
      return null;
    }
    return Times.of(record.statusRow().value().getAppliedAt());
  }

  /** Its node said that it ended. */
  boolean ended() {
    return reported().getNumber() > TaskState.TASK_RUNNING_VALUE;
  }

  boolean placed() {
    return placed;
  }

  /** It was placed on a node that has been removed since. */
  boolean nodeRemoved() {
    return placed && node == null;
  }

  /** The node that it is placed on; null when it is not placed, or its node was removed. */
  NodeRecord node() {
    return node;
  }

  /** Nothing of it can run any more: never placed, ended, or gone with its node. */
  boolean stopped() {
    return deleted || !placed || ended() || node == null;
  }

  /** Nothing waits for it: stopped, or out of reach on a node that is down. */
  boolean outOfTheWay() {
    return stopped() || node.down();
  }

  Row<PlacementRow> placementRow() {
    return record == null ? null : record.placementRow();
  }

  void want(TaskState desired, Instant now) {
    if (intent.getDesired() != desired) {
      change(intent.toBuilder().setDesired(desired), now);
    }
  }

  void change(TaskIntentRow.Builder next, Instant now) {
    intent = next.setUpdatedAt(Times.of(now)).build();
  }

  void delete() {
    deleted = true;
  }
}
