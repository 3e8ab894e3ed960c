package dev.skep.agent.core;

import dev.skep.dispatcher.v1.TaskAssignment;
import java.util.Map;
import java.util.TreeMap;

/**
 * How everything of ours on an engine and in the kernel is named, so that several clusters' nodes can share a machine
 * and nothing of anybody else is ever touched.
 *
 * @param instance "" for the machine's only one, else four hex digits
 */
public record Ownership(String instance, String clusterId, String nodeId) {
  public static final String CLUSTER = "skep.cluster";
  public static final String NODE = "skep.node";
  public static final String INSTANCE = "skep.instance";
  public static final String NETWORK = "skep.network";
  /** What users call the overlay. */
  public static final String NETWORK_NAME = "skep.network.name";
  public static final String INGRESS = "skep.network.ingress";
  public static final String TASK = "com.docker.swarm.task.id";

  public Ownership {
    if (!instance.matches("|[0-9a-f]{4}")) {
      throw new IllegalArgumentException("instance must be empty or four hex digits, not '" + instance + "'");
    }
  }

  /** Device names have at most 15 characters: 3 + 4 + 8 digits of a 24-bit number. */
  public String bridge(int vni) {
    return "skb" + instance + vni;
  }

  /** The device that leads from a bridge to other nodes. */
  public String tunnel(int vni) {
    return "skx" + instance + vni;
  }

  public String table() {
    return instance.isEmpty() ? "skep" : "skep_" + instance;
  }

  /** The chain that a host firewall's INPUT chain jumps to. */
  public String inputChain() {
    return instance.isEmpty() ? "SKEP-INPUT" : "SKEP-INPUT-" + instance;
  }

  public static String engineNetwork(String networkId) {
    return "skep-" + networkId;
  }

  public static String containerName(TaskAssignment task) {
    return task.getServiceName() + "." + (task.getGlobal() ? task.getNodeId() : Long.toString(task.getSlot())) + "." + task.getId();
  }

  /** The service's own container labels, swarm's, and ours. The first may not shadow the others. */
  public Map<String, String> labels(TaskAssignment task) {
    Map<String, String> labels = new TreeMap<>(task.getSpec().getContainerSpec().getLabelsMap());
    labels.put("com.docker.swarm.task", "");
    labels.put(TASK, task.getId());
    labels.put("com.docker.swarm.task.name", containerName(task));
    labels.put("com.docker.swarm.node.id", nodeId);
    labels.put("com.docker.swarm.service.id", task.getServiceId());
    labels.put("com.docker.swarm.service.name", task.getServiceName());
    labels.put(CLUSTER, clusterId);
    labels.put(NODE, nodeId);
    labels.put(INSTANCE, instance);
    return labels;
  }

  public Map<String, String> networkLabels(String networkId) {
    return Map.of(CLUSTER, clusterId, NODE, nodeId, INSTANCE, instance, NETWORK, networkId);
  }

  /** Of this very node of this very cluster. */
  public boolean owns(Map<String, String> labels) {
    return ofInstance(instance, labels) && clusterId.equals(labels.get(CLUSTER)) && nodeId.equals(labels.getOrDefault(NODE, nodeId));
  }

  /** Of this instance on this machine, whichever cluster it was in then. */
  public static boolean ofInstance(String instance, Map<String, String> labels) {
    return labels.containsKey(CLUSTER) && instance.equals(labels.getOrDefault(INSTANCE, ""));
  }
}
