package dev.skep.state.view;

import dev.skep.api.v1.Driver;
import dev.skep.api.v1.IPAM;
import dev.skep.api.v1.IPAMConfig;
import dev.skep.api.v1.IPAMOptions;
import dev.skep.api.v1.IPAMPool;
import dev.skep.api.v1.Network;
import dev.skep.api.v1.NetworkReference;
import dev.skep.api.v1.NetworkSpec;
import dev.skep.api.v1.SwarmNetwork;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeGatewayRow;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Overlay networks, in the two shapes that the API has for them: GET /networks, and inside a task's attachment. */
public final class NetworkView {
  /** Where Docker's overlay driver shows a network's VNI. */
  public static final String VNI_OPTION = "com.docker.network.driver.overlay.vxlanid_list";

  private static final String DRIVER = "overlay";
  private static final String IPAM_DRIVER = "default";

  private NetworkView() {}

  public static Optional<Network> of(ClusterState state, String id) {
    return Optional.ofNullable(state.row(Rows.NETWORK.key(id))).map(row -> network(state, row));
  }

  /** All networks, in id order. */
  public static List<Network> all(ClusterState state) {
    List<Network> all = new ArrayList<>();
    for (Row<NetworkRow> row : state.rows(Rows.NETWORK)) {
      all.add(network(state, row));
    }
    return all;
  }

  private static Network network(ClusterState state, Row<NetworkRow> row) {
    NetworkRow asked = row.value();
    IPAM.Builder ipam = IPAM.newBuilder().setDriver(asked.getIpamDriver().isEmpty() ? IPAM_DRIVER : asked.getIpamDriver())
        .putAllOptions(asked.getIpamOptionsMap());
    for (IPAMPool pool : pools(state, asked)) {
      ipam.addConfig(pool);
    }
    return Network.newBuilder()
        .setName(asked.getName())
        .setId(asked.getId())
        .setCreated(asked.getCreatedAt())
        .setScope("swarm")
        .setDriver(DRIVER)
        .setIpam(ipam)
        .setInternal(asked.getInternal())
        .setAttachable(asked.getAttachable())
        .setIngress(asked.getIngress())
        .setConfigFrom(NetworkReference.getDefaultInstance())
        .putAllOptions(driverOptions(state, asked))
        .putAllLabels(asked.getLabelsMap())
        .build();
  }

  /** The network as a task's attachment shows it; a network that is gone keeps its id. */
  public static SwarmNetwork swarmNetwork(ClusterState state, String id) {
    Row<NetworkRow> row = state.row(Rows.NETWORK.key(id));
    if (row == null) {
      return SwarmNetwork.newBuilder().setId(id).build();
    }
    NetworkRow asked = row.value();
    IPAMOptions.Builder ipam = IPAMOptions.newBuilder().setDriver(Driver.newBuilder().setName(IPAM_DRIVER));
    for (IPAMPool pool : pools(state, asked)) {
      ipam.addConfigs(IPAMConfig.newBuilder().setSubnet(pool.getSubnet()).setRange(pool.getIpRange()).setGateway(pool.getGateway()));
    }
    return SwarmNetwork.newBuilder()
        .setId(id)
        .setVersion(Join.version(row, state.row(Rows.POOL.key(id))))
        .setCreatedAt(asked.getCreatedAt())
        .setUpdatedAt(asked.getUpdatedAt())
        .setSpec(spec(asked))
        .setDriverState(Driver.newBuilder().setName(DRIVER).putAllOptions(driverOptions(state, asked)))
        .setIpamOptions(ipam)
        .build();
  }

  private static NetworkSpec spec(NetworkRow asked) {
    NetworkSpec.Builder spec =
        NetworkSpec.newBuilder()
            .setName(asked.getName())
            .putAllLabels(asked.getLabelsMap())
            .setDriverConfiguration(
                asked.getIngress() ? Driver.getDefaultInstance() : Driver.newBuilder().setName(DRIVER).putAllOptions(asked.getOptionsMap())
                    .build())
            .setInternal(asked.getInternal())
            .setAttachable(asked.getAttachable())
            .setIngress(asked.getIngress())
            .setScope("swarm");
    if (asked.getIngress() || !asked.getIpamDriver().isEmpty() || asked.getPoolsCount() > 0) {
      IPAMOptions.Builder ipam = IPAMOptions.newBuilder();
      if (!asked.getIpamDriver().isEmpty()) {
        ipam.setDriver(Driver.newBuilder().setName(asked.getIpamDriver()).putAllOptions(asked.getIpamOptionsMap()));
      }
      for (IPAMPool pool : asked.getPoolsList()) {
        ipam.addConfigs(IPAMConfig.newBuilder().setSubnet(pool.getSubnet()).setRange(pool.getIpRange()).setGateway(pool.getGateway()));
      }
      spec.setIpamOptions(ipam);
    }
    return spec.build();
  }

  private static Map<String, String> driverOptions(ClusterState state, NetworkRow asked) {
    Map<String, String> options = new TreeMap<>(asked.getOptionsMap());
    NetworkPoolRow pool = state.value(Rows.POOL.key(asked.getId()));
    if (pool != null && pool.getVni() != 0) {
      options.put(VNI_OPTION, Integer.toUnsignedString(pool.getVni()));
    }
    return options;
  }

  /** The pools in force: the one that the allocator gave, with what the user asked about it, else those asked for. */
  private static List<IPAMPool> pools(ClusterState state, NetworkRow asked) {
    NetworkPoolRow given = state.value(Rows.POOL.key(asked.getId()));
    if (given == null || given.getSubnet().isEmpty()) {
      return asked.getPoolsList();
    }
    IPAMPool.Builder pool = IPAMPool.newBuilder();
    for (IPAMPool one : asked.getPoolsList()) {
      if (one.getSubnet().isEmpty() || one.getSubnet().equals(given.getSubnet())) {
        pool.mergeFrom(one);
        break;
      }
    }
    pool.setSubnet(given.getSubnet());
    if (pool.getGateway().isEmpty()) {
      gateway(state, asked.getId()).ifPresent(pool::setGateway);
    }
    return List.of(pool.build());
  }

  /** Every node has a gateway of its own in a network; the first node's stands for all. */
  private static Optional<String> gateway(ClusterState state, String networkId) {
    for (Row<?> node : state.rows(Rows.NODE_SPEC)) {
      NodeGatewayRow gateway = state.value(Rows.GATEWAY.key(node.key().lastPart(), networkId));
      if (gateway != null && !gateway.getAddress().isEmpty()) {
        int slash = gateway.getAddress().indexOf('/');
        return Optional.of(slash < 0 ? gateway.getAddress() : gateway.getAddress().substring(0, slash));
      }
    }
    return Optional.empty();
  }
}
