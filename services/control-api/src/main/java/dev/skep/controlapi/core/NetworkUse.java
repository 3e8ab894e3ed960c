package dev.skep.controlapi.core;

import dev.skep.api.v1.NetworkAttachmentConfig;
import dev.skep.api.v1.PortConfig;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.EffectiveSpec;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.RefRow;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TemplateRow;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Which networks a template uses, and what uses a network. */
final class NetworkUse {
  private NetworkUse() {}

  /** Ids of the networks of a template, the ingress network included when a port is published on it. */
  static Set<String> of(ClusterState state, TemplateRow template) {
    Set<String> ids = new TreeSet<>();
    for (NetworkAttachmentConfig network : template.getTask().getNetworksList()) {
      ids.add(network.getTarget());
    }
    for (PortConfig port : template.getEndpoint().getPortsList()) {
      if (!port.getPublishMode().equals("host")) {
        ingress(state).ifPresent(ids::add);
      }
    }
    return ids;
  }

  static Optional<String> ingress(ClusterState state) {
    for (Row<NetworkRow> network : state.rows(Rows.NETWORK)) {
      if (network.value().getIngress()) {
        return Optional.of(network.value().getId());
      }
    }
    return Optional.empty();
  }

  /**
   * Says that a service starts to use these networks: whoever deletes one meanwhile is refused by the store. Those who use one
   * do not get into each other's way: it is the row's revision that speaks, not its count.
   */
  static void touch(ClusterState state, Set<String> networkIds, ChangeSet.Builder change) {
    for (String id : networkIds) {
      RefRow ref = state.value(ref(id));
      change.present(Rows.NETWORK.key(id)).put(ref(id), RefRow.newBuilder().setCount(ref == null ? 1 : ref.getCount() + 1).build());
    }
  }

  static Key<RefRow> ref(String networkId) {
    return Rows.REF.key("network", networkId);
  }

  /** Why the network cannot go; empty when at most stopping tasks still have it. */
  static Optional<ApiError> inUse(ClusterState state, NetworkRow network) {
    for (Row<ServiceRow> row : state.rows(Rows.SERVICE)) {
      String serviceId = row.value().getId();
      EffectiveSpec spec = EffectiveSpec.of(state, serviceId);
      TemplateRow asked = state.value(Rows.template(serviceId, row.value().getCurrent().getTemplate()));
      if (of(state, spec.template()).contains(network.getId()) || asked != null && of(state, asked).contains(network.getId())) {
        return Optional.of(network.getIngress() ? ApiError.ingressInUse(serviceId) : ApiError.networkInUse(network.getId(), serviceId));
      }
      for (TaskRecord task : TaskRecord.ofService(state, serviceId)) {
        TemplateRow template = state.value(Rows.template(serviceId, task.intent().getTemplate()));
        boolean stays = !task.terminal() && task.desired().getNumber() <= TaskState.TASK_COMPLETE_VALUE;
        if (stays && template != null && of(state, template).contains(network.getId())) {
          return Optional.of(ApiError.failedPrecondition("network " + network.getId() + " is in use by task " + task.id()));
        }
      }
    }
    return Optional.empty();
  }
}
