package dev.skep.dispatcher.core;

import dev.skep.api.v1.EndpointVirtualIP;
import dev.skep.api.v1.NetworkAttachmentConfig;
import dev.skep.feed.v1.EndpointAddress;
import dev.skep.feed.v1.EndpointEntry;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.NetworkEntry;
import dev.skep.feed.v1.PeerEntry;
import dev.skep.feed.v1.ServiceEntry;
import dev.skep.feed.v1.ServiceNetwork;
import dev.skep.state.ClusterState;
import dev.skep.state.EffectiveSpec;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.TaskAddress;
import dev.skep.state.v1.TemplateRow;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What every node has to know about all endpoints, computed from the state: one entry per key, and each entry alone.
 * {@link FeedKeys} says which keys a move of the state concerns.
 */
public final class FeedView {
  static final String NETWORK = "network/";
  static final String SERVICE = "service/";
  static final String ENDPOINT = "endpoint/";
  static final String PEER = "peer/";
  private static final String OWN_LABELS = "skep.";
  private static final String DNSRR = "dnsrr";

  private FeedView() {}

  /** Everything. */
  public static SortedMap<String, FeedEntry> all(ClusterState state) {
    SortedMap<String, FeedEntry> entries = new TreeMap<>();
    state.rows(Rows.POOL).forEach(row -> add(entries, state, NETWORK + row.key().lastPart()));
    state.rows(Rows.SERVICE).forEach(row -> add(entries, state, SERVICE + row.key().lastPart()));
    state.rows(Rows.INTENT).forEach(row -> add(entries, state, ENDPOINT + row.key().lastPart()));
    state.rows(Rows.NODE_STATUS).forEach(row -> add(entries, state, PEER + row.key().lastPart()));
    return entries;
  }

  private static void add(Map<String, FeedEntry> entries, ClusterState state, String key) {
    FeedEntry entry = entry(state, key);
    if (entry != null) {
      entries.put(key, entry);
    }
  }

  /** The entry under a key as the state has it now; null when there is none. */
  public static FeedEntry entry(ClusterState state, String key) {
    int slash = key.indexOf('/');
    String id = key.substring(slash + 1);
    FeedEntry.Builder entry =
        switch (key.substring(0, slash + 1)) {
          case NETWORK -> network(state, id);
          case SERVICE -> service(state, id);
          case ENDPOINT -> endpoint(state, id);
          case PEER -> peer(state, id);
          default -> throw new IllegalArgumentException("not a feed key: " + key);
        };
    return entry == null ? null : entry.setKey(key).build();
  }

  private static FeedEntry.Builder network(ClusterState state, String id) {
    NetworkPoolRow pool = state.value(Rows.POOL.key(id));
    if (pool == null || pool.getSubnet().isEmpty()) {
      return null;
    }
    NetworkEntry.Builder entry =
        NetworkEntry.newBuilder().setId(id).setSubnet(pool.getSubnet()).setVni(pool.getVni()).setIngress(pool.getIngress());
    NetworkRow network = state.value(Rows.NETWORK.key(id));
    if (network != null) {
      entry
          .setName(network.getName())
          .setIngress(network.getIngress())
          .setInternal(network.getInternal())
          .setEncrypted(NetworkOptions.encrypted(network.getOptionsMap()));
    }
    return FeedEntry.newBuilder().setNetwork(entry);
  }

  private static FeedEntry.Builder service(ClusterState state, String id) {
    EffectiveSpec spec = EffectiveSpec.of(state, id);
    if (spec == null) {
      return null;
    }
    ServiceEntry.Builder entry =
        ServiceEntry.newBuilder()
            .setId(id)
            .setName(spec.request().getName())
            .setResolution(spec.template().getEndpoint().getMode().equals(DNSRR) ? DNSRR : "vip");
    spec.request().getLabelsMap().forEach((name, value) -> {
      if (name.startsWith(OWN_LABELS)) {
        entry.putLabels(name, value);
      }
    });
    Map<String, ServiceNetwork.Builder> networks = new LinkedHashMap<>();
    for (NetworkAttachmentConfig network : spec.template().getTask().getNetworksList()) {
      serviceNetwork(networks, network.getTarget()).addAllAliases(network.getAliasesList());
    }
    ServiceEndpointRow endpoint = state.value(Rows.ENDPOINT.key(id));
    if (endpoint != null) {
      entry.addAllPorts(endpoint.getPortsList());
      // Also the ingress network, and during an update the ones that only older tasks are on.
      for (EndpointVirtualIP vip : endpoint.getVirtualIpsList()) {
        serviceNetwork(networks, vip.getNetworkId()).setVip(withoutPrefixLength(vip.getAddr()));
      }
    }
    networks.values().forEach(entry::addNetworks);
    return FeedEntry.newBuilder().setService(entry);
  }

  private static ServiceNetwork.Builder serviceNetwork(Map<String, ServiceNetwork.Builder> networks, String id) {
    return networks.computeIfAbsent(id, network -> ServiceNetwork.newBuilder().setNetworkId(network));
  }

  private static FeedEntry.Builder endpoint(ClusterState state, String id) {
    TaskRecord task = TaskRecord.find(state, id);
    if (task == null || task.nodeId().isEmpty() || task.terminal() || !task.addressed()) {
      return null;
    }
    if (task.addressRow().value().getAddressesCount() == 0) {
      return null;
    }
    EndpointEntry.Builder entry =
        EndpointEntry.newBuilder()
            .setTaskId(id)
            .setServiceId(task.intent().getServiceId())
            .setSlot(task.intent().getSlot())
            .setNodeId(task.nodeId())
            .setName(name(task))
            .setServing(Serving.serves(state, task));
    for (TaskAddress address : task.addressRow().value().getAddressesList()) {
      String ip = withoutPrefixLength(address.getAddress());
      entry.addAddresses(EndpointAddress.newBuilder().setNetworkId(address.getNetworkId()).setAddress(ip).setMac(mac(ip)));
    }
    TemplateRow template = state.value(Rows.template(task.intent().getServiceId(), task.intent().getTemplate()));
    if (template != null) {
      entry.addAllDnsServers(template.getTask().getContainerSpec().getDnsConfig().getNameserversList());
    }
    return FeedEntry.newBuilder().setEndpoint(entry);
  }

  /** {@code service.slot.task}, or {@code service.node.task} for a global service: the container's name. */
  private static String name(TaskRecord task) {
    String middle = task.intent().getNodeId().isEmpty() ? Long.toString(task.intent().getSlot()) : task.intent().getNodeId();
    return task.intent().getServiceName() + "." + middle + "." + task.id();
  }

  private static FeedEntry.Builder peer(ClusterState state, String id) {
    NodeStatusRow node = state.value(Rows.NODE_STATUS.key(id));
    if (node == null || !state.has(Rows.NODE_SPEC.key(id))) {
      return null;
    }
    PeerEntry.Builder entry =
        PeerEntry.newBuilder()
            .setNodeId(id)
            .setHostname(node.getDescription().getHostname())
            .setDataPathAddr(node.getDataPathAddr().isEmpty() ? node.getAddr() : node.getDataPathAddr());
    for (Row<NodeGatewayRow> gateway : state.rows(Rows.GATEWAY, id)) {
      if (!gateway.value().getAddress().isEmpty()) {
        entry.putGateways(gateway.value().getNetworkId(), withoutPrefixLength(gateway.value().getAddress()));
      }
    }
    return FeedEntry.newBuilder().setPeer(entry);
  }

  private static String withoutPrefixLength(String cidr) {
    int slash = cidr.indexOf('/');
    return slash < 0 ? cidr : cidr.substring(0, slash);
  }

  /** 02:42 and the four bytes of the address, as Docker makes it; empty for anything else than an IPv4 address. */
  private static String mac(String ip) {
    String[] parts = ip.split("\\.");
    if (parts.length != 4) {
      return "";
    }
    StringBuilder mac = new StringBuilder("02:42");
    for (String part : parts) {
      int number = Integer.parseInt(part);
      mac.append(':').append(Character.forDigit(number >> 4, 16)).append(Character.forDigit(number & 15, 16)); // for every task that moves
    }
    return mac.toString();
  }
}
