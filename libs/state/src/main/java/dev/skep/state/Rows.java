package dev.skep.state;

import com.google.protobuf.Message;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.DispatcherRow;
import dev.skep.state.v1.LeaderRow;
import dev.skep.state.v1.NameRow;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.RefRow;
import dev.skep.state.v1.RolloutRow;
import dev.skep.state.v1.SealedRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.SessionRow;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.state.v1.TemplateRow;
import java.util.List;
import java.util.Optional;

/** The table of all kinds of rows. A key that no kind owns is refused when state is read. */
public final class Rows {
  public static final RowKind<ClusterRow> CLUSTER = new RowKind<>(Owner.API, "cluster", ClusterRow.getDefaultInstance());
  public static final RowKind<ServiceRow> SERVICE = new RowKind<>(Owner.API, "service", ServiceRow.getDefaultInstance());
  public static final RowKind<TemplateRow> TEMPLATE = new RowKind<>(Owner.API, "template", TemplateRow.getDefaultInstance());
  public static final RowKind<NetworkRow> NETWORK = new RowKind<>(Owner.API, "network", NetworkRow.getDefaultInstance());
  public static final RowKind<NodeSpecRow> NODE_SPEC = new RowKind<>(Owner.API, "node", NodeSpecRow.getDefaultInstance());
  public static final RowKind<NameRow> NAME = new RowKind<>(Owner.API, "name", NameRow.getDefaultInstance());
  public static final RowKind<RefRow> REF = new RowKind<>(Owner.API, "ref", RefRow.getDefaultInstance());

  public static final RowKind<TaskIntentRow> INTENT = new RowKind<>(Owner.ORCHESTRATOR, "task", TaskIntentRow.getDefaultInstance());
  public static final RowKind<RolloutRow> ROLLOUT = new RowKind<>(Owner.ORCHESTRATOR, "rollout", RolloutRow.getDefaultInstance());

  public static final RowKind<NetworkPoolRow> POOL = new RowKind<>(Owner.ALLOCATOR, "network", NetworkPoolRow.getDefaultInstance());
  public static final RowKind<NodeGatewayRow> GATEWAY = new RowKind<>(Owner.ALLOCATOR, "node", NodeGatewayRow.getDefaultInstance());
  public static final RowKind<ServiceEndpointRow> ENDPOINT = new RowKind<>(Owner.ALLOCATOR, "service", ServiceEndpointRow.getDefaultInstance());
  public static final RowKind<TaskAddressRow> ADDRESS = new RowKind<>(Owner.ALLOCATOR, "task", TaskAddressRow.getDefaultInstance());

  public static final RowKind<PlacementRow> PLACEMENT = new RowKind<>(Owner.SCHEDULER, "task", PlacementRow.getDefaultInstance());

  public static final RowKind<TaskStatusRow> STATUS = new RowKind<>(Owner.DISPATCHER, "task", TaskStatusRow.getDefaultInstance());
  public static final RowKind<NodeStatusRow> NODE_STATUS = new RowKind<>(Owner.DISPATCHER, "node", NodeStatusRow.getDefaultInstance());
  public static final RowKind<SessionRow> SESSION = new RowKind<>(Owner.DISPATCHER, "session", SessionRow.getDefaultInstance());

  public static final RowKind<DispatcherRow> PEER = new RowKind<>(Owner.DISPATCHER, "peer", DispatcherRow.getDefaultInstance());

  public static final RowKind<SealedRow> SEALED = new RowKind<>(Owner.SEALED, "object", SealedRow.getDefaultInstance());
  public static final RowKind<LeaderRow> LEADER = new RowKind<>(Owner.LOOP, "loop", LeaderRow.getDefaultInstance());

  private static final List<RowKind<?>> ALL =
      List.of(
          CLUSTER, SERVICE, TEMPLATE, NETWORK, NODE_SPEC, NAME, REF, INTENT, ROLLOUT, POOL, GATEWAY, ENDPOINT, ADDRESS,
          PLACEMENT, STATUS, NODE_STATUS, SESSION, PEER, SEALED, LEADER);

  private Rows() {}

  public static List<RowKind<?>> all() {
    return ALL;
  }

  /** The one cluster row. */
  public static Key<ClusterRow> cluster() {
    return CLUSTER.key("default");
  }

  /** A template's key; numbers are padded so that they sort. */
  public static Key<TemplateRow> template(String serviceId, long number) {
    return TEMPLATE.key(serviceId, String.format("%012d", number));
  }

  /** The typed key of a stored path; empty when no kind owns it. */
  public static Optional<Key<?>> keyOf(String path) {
    for (RowKind<? extends Message> kind : ALL) {
      if (path.startsWith(kind.prefix())) {
        return Optional.of(kind.keyOfPath(path));
      }
    }
    return Optional.empty();
  }
}
