package dev.skep.allocator.core;

import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TemplateRow;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which networks a template's tasks are attached to, in the order of the container's networks: {@code ingress} comes last. */
final class Attachments {
  /** Every node has these of its own; nothing is allocated in them. */
  private static final Set<String> OF_THE_NODE = Set.of("host", "bridge", "none");

  private final ClusterState state;
  private final Map<String, List<String>> known = new HashMap<>();
  private NetworkRow ingress;
  private boolean ingressKnown;

  Attachments(ClusterState state) {
    this.state = state;
  }

  /** The ingress network; null when the cluster has none. */
  NetworkRow ingress() {
    if (!ingressKnown) {
      ingressKnown = true;
      for (Row<NetworkRow> network : state.rows(Rows.NETWORK)) {
        if (network.value().getIngress()) {
          ingress = network.value();
          break;
        }
      }
    }
    return ingress;
  }

  /** The networks of the intent's template; null when the template is not stored. */
  List<String> of(TaskIntentRow intent) {
    String key = intent.getServiceId() + "/" + intent.getTemplate();
    if (!known.containsKey(key)) {
      TemplateRow template = state.value(Rows.template(intent.getServiceId(), intent.getTemplate()));
      known.put(key, template == null ? null : of(template));
    }
    return known.get(key);
  }

  List<String> of(TemplateRow template) {
    List<String> networks = new ArrayList<>();
    for (var attachment : template.getTask().getNetworksList()) {
      String target = attachment.getTarget();
      if (!OF_THE_NODE.contains(target) && !networks.contains(target)) {
        networks.add(target);
      }
    }
    if (publishesByIngress(template) && ingress() != null) {
      networks.remove(ingress().getId());
      networks.add(ingress().getId());
    }
    return networks;
  }

  static boolean publishesByIngress(TemplateRow template) {
    return template.getEndpoint().getPortsList().stream().anyMatch(Ports::byIngress);
  }
}
