package dev.skep.controlapi.core;

import dev.skep.api.v1.IPAMPool;
import dev.skep.api.v1.NetworkCreateRequest;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.NodeRecord;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.Subnet;
import dev.skep.state.Tick;
import dev.skep.state.v1.NameRow;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.RefRow;
import java.util.List;
import java.util.Optional;

/** What a request about an overlay network writes. */
public final class NetworkWrites {
  /** Networks that every engine has; no other may take their names. */
  private static final List<String> PREDEFINED = List.of("bridge", "host", "none");

  private static final int SMALLEST_PREFIX = 29; // gateway, a service's VIP, a task, and the two that nobody may have

  private NetworkWrites() {}

  public static boolean predefined(String name) {
    return PREDEFINED.contains(name);
  }

  /** The request is about an overlay network, hence ours. */
  public static boolean ours(NetworkCreateRequest request) {
    return request.getDriver().equals("overlay") || request.getIngress() || request.getDriver().isEmpty()
        && request.getScope().equals("swarm");
  }

  /** Answers the new network's id. */
  public static Answer<Planned<String>> create(ClusterState state, String id, NetworkCreateRequest request, Tick tick) {
    Optional<ApiError> refusal = NetworkCheck.refusal(request).or(() -> taken(state, request)).or(() -> overlap(state, request));
    if (refusal.isPresent()) {
      return Answer.refused(refusal.get());
    }
    NetworkRow.Builder row =
        NetworkRow.newBuilder()
            .setId(id)
            .setCreatedAt(Times.of(tick.now()))
            .setUpdatedAt(Times.of(tick.now()))
            .setName(request.getName())
            .putAllLabels(request.getLabelsMap())
            .putAllOptions(request.getOptionsMap())
            .setInternal(request.getInternal())
            .setIngress(request.getIngress())
            .putAllIpamOptions(request.getIpam().getOptionsMap());
    for (IPAMPool pool : request.getIpam().getConfigList()) {
      if (!pool.getSubnet().isEmpty()) {
        row.addPools(pool.toBuilder().setSubnet(Subnet.parse(pool.getSubnet()).toString()));
      }
    }
    ChangeSet.Builder change = ChangeSet.about(id).present(Rows.cluster());
    change.absent(Names.network(request.getName())).put(Names.network(request.getName()), NameRow.newBuilder().setId(id).build());
    return Planned.of(id, change.put(Rows.NETWORK.key(id), row.build()));
  }

  private static Optional<ApiError> taken(ClusterState state, NetworkCreateRequest request) {
    if (PREDEFINED.contains(request.getName()) || state.has(Names.network(request.getName()))) {
      return Optional.of(ApiError.networkNameTaken(request.getName()));
    }
    return request.getIngress() ? NetworkUse.ingress(state).map(ApiError::ingressTaken) : Optional.empty();
  }

  /** An overlay's bridge stands in the host's routing table: a subnet that is already somewhere would be lost there. */
  private static Optional<ApiError> overlap(ClusterState state, NetworkCreateRequest request) {
    for (IPAMPool pool : request.getIpam().getConfigList()) {
      if (pool.getSubnet().isEmpty()) {
        continue;
      }
      Subnet wanted = Subnet.parse(pool.getSubnet());
      Optional<ApiError> found = ofNetworks(state, wanted).or(() -> ofRoutes(state, wanted));
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static Optional<ApiError> ofNetworks(ClusterState state, Subnet wanted) {
    for (Row<NetworkPoolRow> pool : state.rows(Rows.POOL)) {
      if (!pool.value().getSubnet().isEmpty() && Subnet.parse(pool.value().getSubnet()).overlaps(wanted)) {
        NetworkRow network = state.value(Rows.NETWORK.key(pool.value().getNetworkId()));
        if (network != null) { // the pool of one that is going away comes free by itself, and the allocator waits for it
          return Optional.of(poolOverlap(wanted, network.getName(), pool.value().getSubnet()));
        }
      }
    }
    for (Row<NetworkRow> network : state.rows(Rows.NETWORK)) {
      for (IPAMPool asked : network.value().getPoolsList()) {
        if (Subnet.parse(asked.getSubnet()).overlaps(wanted)) {
          return Optional.of(poolOverlap(wanted, network.value().getName(), asked.getSubnet()));
        }
      }
    }
    return Optional.empty();
  }

  private static ApiError poolOverlap(Subnet wanted, String network, String subnet) {
    return ApiError.plain(
        ApiError.Code.PERMISSION_DENIED,
        "Pool overlaps with other one on this address space: " + wanted + " overlaps " + subnet + " of network " + network);
  }

  private static Optional<ApiError> ofRoutes(ClusterState state, Subnet wanted) {
    for (NodeRecord node : NodeRecord.all(state)) {
      for (String text : node.status().getRoutesList()) {
        Subnet route = NetworkCheck.subnet(text).orElse(null);
        if (route != null && route.prefixLength() > 0 && route.overlaps(wanted)) {
          return Optional.of(
              ApiError.plain(
                  ApiError.Code.PERMISSION_DENIED,
                  "subnet "
                      + wanted
                      + " overlaps the route "
                      + route
                      + " of node "
                      + node.hostname()
                      + ", which would lose that network: choose another subnet"));
        }
      }
    }
    return Optional.empty();
  }

  /** Answers the id. */
  public static Answer<Planned<String>> remove(ClusterState state, String id) {
    Row<NetworkRow> network = state.row(Rows.NETWORK.key(id));
    if (network == null) {
      return Answer.refused(ApiError.notFound(ObjectKind.NETWORK, id));
    }
    Optional<ApiError> used = NetworkUse.inUse(state, network.value());
    if (used.isPresent()) {
      return Answer.refused(used.get());
    }
    ChangeSet.Builder change = ChangeSet.about(id).unmodified(network);
    change.delete(network.key()).delete(Names.network(network.value().getName()));
    Row<RefRow> ref = state.row(NetworkUse.ref(id));
    if (ref == null) {
      change.absent(NetworkUse.ref(id));
    } else {
      change.unmodified(ref).delete(ref.key());
    }
    return Planned.of(id, change);
  }

  static boolean tooSmall(Subnet subnet) {
    return subnet.prefixLength() > SMALLEST_PREFIX;
  }
}
