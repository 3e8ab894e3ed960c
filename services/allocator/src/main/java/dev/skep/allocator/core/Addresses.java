package dev.skep.allocator.core;

import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decision;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.Times;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.TaskAddress;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskState;
import java.time.Instant;
import java.util.List;

/** The addresses of tasks: one in each of their networks, all or none. */
final class Addresses {
  private final ClusterState state;
  private final Instant now;
  private final Ledger ledger;
  private final Attachments attachments;
  private final Endpoints endpoints;

  Addresses(ClusterState state, Instant now, Ledger ledger, Attachments attachments, Endpoints endpoints) {
    this.state = state;
    this.now = now;
    this.ledger = ledger;
    this.attachments = attachments;
    this.endpoints = endpoints;
  }

  /** Meant to run, of a service that is still there, and without addresses so far. */
  static boolean waits(ClusterState state, TaskRecord task) {
    return task.desired().getNumber() < TaskState.TASK_SHUTDOWN_VALUE
        && !task.addressed()
        && !task.confirmedStopped()
        && state.has(Rows.SERVICE.key(task.intent().getServiceId()));
  }

  void decide(TaskRecord task, Decision.Builder decision) {
    List<String> networks = attachments.of(task.intent());
    if (networks == null) {
      throw new IllegalStateException("task " + task.id() + " names template " + task.intent().getTemplate() + ", which is not stored");
    }
    TaskAddressRow.Builder row = TaskAddressRow.newBuilder().setTaskId(task.id()).setTimestamp(Times.of(now));
    String error = obstacle(task, networks);
    if (error.isEmpty()) {
      for (String networkId : networks) {
        Book book = ledger.book(networkId);
        row.addAddresses(TaskAddress.newBuilder().setNetworkId(networkId).setAddress(book.subnet().interfaceText(book.take())));
      }
    } else if (task.addressRow() != null && task.addressRow().value().getError().equals(error)) {
      return;
    }
    var set = ChangeSet.about(task.intent().getServiceId()).present(task.intentRow().key());
    decision.change(set.put(Rows.ADDRESS.key(task.id()), row.setError(error).build()));
  }

  private String obstacle(TaskRecord task, List<String> networks) {
    ServiceEndpointRow endpoint = endpoints.of(task.intent().getServiceId());
    if (endpoint != null && endpoint.getTemplate() == task.intent().getTemplate() && !endpoint.getError().isEmpty()) {
      return endpoint.getError();
    }
    for (String networkId : networks) {
      String missing = Endpoints.missing(state, ledger, networkId);
      if (!missing.isEmpty()) {
        return missing;
      }
      Book book = ledger.book(networkId);
      if (book.full()) {
        return book.exhausted();
      }
    }
    return "";
  }
}
