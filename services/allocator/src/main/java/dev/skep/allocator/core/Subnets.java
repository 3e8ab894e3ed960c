package dev.skep.allocator.core;

import dev.skep.state.ClusterState;
import dev.skep.state.NodeRecord;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.Subnet;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NetworkRow;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Gives networks their subnet and number. No subnet overlaps another one, or a route that any node reports: an overlay's
 * bridge stands in the host's routing table, and would take the host off that route. Both are given next-fit.
 */
final class Subnets {
  private static final int FIRST_VNI = 4096; // the ingress network's, if it is free
  private static final int LAST_VNI = (1 << 24) - 1;
  private static final int DEFAULT_SIZE = 24;
  private static final int INGRESS_SIZE = 16;
  private static final int ROOM_FOR_INGRESS = 12; // a pool at least so large can spare a /16
  private static final String VXLAN_ID_OPTION = "com.docker.network.driver.overlay.vxlanid_list";

  /** What stands in the way, and the words for it. */
  private record Obstacle(Subnet subnet, String what) {}

  /** A subnet, or the reason why not. */
  private record Found(Subnet subnet, String error) {}

  private final ClusterState state;
  private final List<Obstacle> networks = new ArrayList<>();
  private final List<Obstacle> routes = new ArrayList<>();
  private final Set<Integer> numbers = new HashSet<>();
  private long lastSubnet = -1; // where the one given last ends
  private long lastSubnetRevision = -1;
  private int lastNumber = FIRST_VNI;
  private long lastNumberRevision = -1;

  Subnets(ClusterState state, Ledger ledger) {
    this.state = state;
    for (Row<NetworkPoolRow> row : state.rows(Rows.POOL)) {
      if (row.value().getSubnet().isEmpty() || ledger.deletes(row.key())) {
        continue;
      }
      note(row.value(), row.createRevision());
    }
    for (NodeRecord node : NodeRecord.all(state)) {
      for (String route : node.status().getRoutesList()) {
        Subnet subnet = Subnet.parse(route);
        if (subnet.prefixLength() > 0) { // the default route is in nobody's way
          routes.add(new Obstacle(subnet, "the route " + subnet + " of node " + node.hostname()));
        }
      }
    }
  }

  private void note(NetworkPoolRow pool, long createRevision) {
    Subnet subnet = Subnet.parse(pool.getSubnet());
    NetworkRow network = state.value(Rows.NETWORK.key(pool.getNetworkId()));
    String name = network == null ? "a removed network that nodes have not given up yet" : "network " + network.getName();
    networks.add(new Obstacle(subnet, "the subnet " + subnet + " of " + name));
    numbers.add(pool.getVni());
    boolean asked = network != null && network.getPoolsCount() > 0 && !network.getPools(0).getSubnet().isEmpty();
    if (!asked && createRevision > lastSubnetRevision) {
      lastSubnetRevision = createRevision;
      lastSubnet = subnet.last();
    }
    if (!pool.getIngress() && createRevision > lastNumberRevision) {
      lastNumberRevision = createRevision;
      lastNumber = pool.getVni();
    }
  }

  NetworkPoolRow give(NetworkRow network) {
    NetworkPoolRow.Builder row = NetworkPoolRow.newBuilder().setNetworkId(network.getId()).setIngress(network.getIngress());
    Found found = network.getPoolsCount() > 0 && !network.getPools(0).getSubnet().isEmpty() ? asked(network) : free(network);
    if (found.subnet() == null) {
      return row.setError(found.error()).build();
    }
    int number = number(network);
    if (number < 0) {
      return row.setError("the network number asked for is in use by another network").build();
    }
    NetworkPoolRow pool = row.setSubnet(found.subnet().toString()).setVni(number).build();
    note(pool, Long.MAX_VALUE);
    if (network.getPoolsCount() == 0 || network.getPools(0).getSubnet().isEmpty()) {
      lastSubnet = found.subnet().last();
    }
    if (!network.getIngress()) {
      lastNumber = number;
    }
    return pool;
  }

  private Found asked(NetworkRow network) {
    Subnet subnet = Subnet.parse(network.getPools(0).getSubnet());
    for (List<Obstacle> obstacles : List.of(networks, routes)) {
      for (Obstacle obstacle : obstacles) {
        if (obstacle.subnet().overlaps(subnet)) {
          return new Found(null, "subnet " + subnet + " overlaps " + obstacle.what());
        }
      }
    }
    return new Found(subnet, "");
  }

  private Found free(NetworkRow network) {
    if (!state.rows(Rows.NODE_STATUS).iterator().hasNext()) {
      // What is free shows only when a node has told its routes; another cluster's networks may be among them.
      return new Found(null, "no node has reported its routes yet");
    }
    ClusterRow cluster = state.value(Rows.cluster());
    List<String> texts = cluster == null || cluster.getDefaultAddrPoolCount() == 0 ? List.of("10.0.0.0/8") : cluster.getDefaultAddrPoolList();
    int size = cluster == null || cluster.getSubnetSize() == 0 ? DEFAULT_SIZE : cluster.getSubnetSize();
    List<Subnet> pools = texts.stream().map(Subnet::parse).toList();
    int begin = 0;
    for (int i = 0; i < pools.size(); i++) {
      begin = pools.get(i).contains(lastSubnet) ? i : begin;
    }
    // Once around: from behind the last one given to the end, and at last again through the pool where that was.
    for (int i = 0; i <= pools.size(); i++) {
      Subnet pool = pools.get((begin + i) % pools.size());
      int length = Math.max(pool.prefixLength(), network.getIngress() && pool.prefixLength() <= ROOM_FOR_INGRESS ? INGRESS_SIZE : size);
      long from = i == 0 && pool.contains(lastSubnet) ? lastSubnet + 1 : pool.base();
      Subnet subnet = firstFree(pool, from, length);
      if (subnet != null) {
        return new Found(subnet, "");
      }
    }
    return new Found(
        null, "no subnet left in " + String.join(", ", texts) + ": " + networks.size() + " in use, " + routes.size() + " routes of nodes kept free");
  }

  private Subnet firstFree(Subnet pool, long from, int length) {
    long step = 1L << 32 - length;
    long base = (from + step - 1) / step * step;
    while (base + step - 1 <= pool.last()) {
      Subnet candidate = new Subnet(base, length);
      long blocked = -1;
      for (List<Obstacle> obstacles : List.of(networks, routes)) {
        for (Obstacle obstacle : obstacles) {
          if (obstacle.subnet().overlaps(candidate)) {
            blocked = Math.max(blocked, obstacle.subnet().last());
          }
        }
      }
      if (blocked < 0) {
        return candidate;
      }
      base = (blocked + step) / step * step;
    }
    return null;
  }

  private int number(NetworkRow network) {
    String asked = network.getOptionsOrDefault(VXLAN_ID_OPTION, "");
    if (!asked.isEmpty()) {
      int number = Integer.parseInt(asked.split(",")[0].strip());
      return numbers.contains(number) ? -1 : number;
    }
    if (network.getIngress() && !numbers.contains(FIRST_VNI)) {
      return FIRST_VNI;
    }
    int number = lastNumber;
    do {
      number = number >= LAST_VNI ? FIRST_VNI + 1 : number + 1;
    } while (numbers.contains(number)); // there are far fewer networks than numbers
    return number;
  }
}
