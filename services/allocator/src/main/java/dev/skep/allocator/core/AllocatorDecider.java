package dev.skep.allocator.core;

import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.Delta;
import dev.skep.state.EffectiveSpec;
import dev.skep.state.NodeRecord;
import dev.skep.state.Row;
import dev.skep.state.RowCursor;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.Tick;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.NodeStatusRow;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Gives addresses, numbers and ports to networks, nodes, services and tasks, and takes back what is free again. */
public final class AllocatorDecider implements Decider {
  @Override
  public Decision decide(ClusterState state, Delta since, Tick tick) {
    return new Round(state, tick, Concerned.by(state, since)).decide();
  }

  /** One decision: first what is given back, then what is given. */
  private static final class Round {
    private final ClusterState state;
    private final Concerned concerned;
    private final Decision.Builder decision = Decision.builder();
    private final Ledger ledger;
    private final Attachments attachments;
    private final Gateways gateways;
    private final Endpoints endpoints;
    private final Addresses addresses;

    Round(ClusterState state, Tick tick, Concerned concerned) {
      this.state = state;
      this.concerned = concerned;
      this.ledger = new Ledger(state);
      this.attachments = new Attachments(state);
      this.gateways = new Gateways(state, ledger, attachments);
      this.endpoints = new Endpoints(state, ledger, attachments);
      this.addresses = new Addresses(state, tick.now(), ledger, attachments, endpoints);
    }

    Decision decide() {
      releaseOrphans();
      concerned.nodes.forEach(node -> gateways.release(node, decision));
      releasePools();
      givePools();
      giveGateways();
      giveEndpoints();
      giveAddresses();
      return decision.build();
    }

    private void releaseOrphans() {
      for (String taskId : concerned.tasks) {
        var key = Rows.ADDRESS.key(taskId);
        if (state.has(key) && !state.has(Rows.INTENT.key(taskId))) {
          ledger.delete(key);
          decision.change(ChangeSet.about(taskId).delete(key));
        }
      }
      for (String serviceId : concerned.services) {
        var key = Rows.ENDPOINT.key(serviceId);
        if (state.has(key) && !state.has(Rows.SERVICE.key(serviceId))) {
          ledger.delete(key);
          decision.change(ChangeSet.about(serviceId).delete(key));
        }
      }
    }

    /** A removed network's subnet and number stay reserved as long as a task or the bridge of any node stands in it. */
    private void releasePools() {
      List<Row<NetworkPoolRow>> orphans = new ArrayList<>();
      RowCursor<NetworkRow> networks = new RowCursor<>(state.rows(Rows.NETWORK));
      for (Row<NetworkPoolRow> pool : state.rows(Rows.POOL)) {
        if (networks.at(pool.key().lastPart()) == null) {
          orphans.add(pool);
        }
      }
      if (orphans.isEmpty()) {
        return;
      }
      Set<String> used = new HashSet<>(ledger.networksOfTasks());
      for (Row<NodeGatewayRow> gateway : state.rows(Rows.GATEWAY)) {
        if (!ledger.deletes(gateway.key())) {
          used.add(gateway.value().getNetworkId());
        }
      }
      for (Row<NodeStatusRow> status : state.rows(Rows.NODE_STATUS)) {
        if (state.has(Rows.NODE_SPEC.key(status.key().lastPart()))) {
          used.addAll(status.value().getNetworkIdsList());
        }
      }
      for (Row<NetworkPoolRow> pool : orphans) {
        if (!used.contains(pool.key().lastPart())) {
          ledger.delete(pool.key());
          decision.change(ChangeSet.about(pool.key().lastPart()).delete(pool.key()));
        }
      }
    }

    private void givePools() {
      Subnets subnets = null;
      for (NetworkRow network : networksWithoutPool()) {
        if (subnets == null) {
          subnets = new Subnets(state, ledger);
        }
        NetworkPoolRow pool;
        try {
          pool = subnets.give(network);
        } catch (IllegalArgumentException e) {
          decision.quarantine(network.getId(), e.toString());
          continue;
        }
        ledger.pool(pool);
        var key = Rows.POOL.key(network.getId());
        if (!pool.equals(state.value(key))) {
          decision.change(ChangeSet.about(network.getId()).present(Rows.NETWORK.key(network.getId())).put(key, pool));
        }
      }
    }

    /** The ingress network first, then the oldest. */
    private List<NetworkRow> networksWithoutPool() {
      List<Row<NetworkRow>> waiting = new ArrayList<>();
      for (String networkId : concerned.networks) {
        Row<NetworkRow> network = state.row(Rows.NETWORK.key(networkId));
        NetworkPoolRow pool = state.value(Rows.POOL.key(networkId));
        if (network != null && (pool == null || !pool.getError().isEmpty())) {
          waiting.add(network);
        }
      }
      waiting.sort(Comparator.comparing((Row<NetworkRow> row) -> !row.value().getIngress()).thenComparingLong(Row::createRevision));
      return waiting.stream().map(Row::value).toList();
    }

    private void giveGateways() {
      Map<String, Set<String>> wanted = new TreeMap<>();
      NetworkRow ingress = attachments.ingress();
      if (ingress != null) {
        concerned.nodes.forEach(node -> add(wanted, node, ingress.getId()));
        if (concerned.networks.contains(ingress.getId())) {
          NodeRecord.all(state).forEach(node -> add(wanted, node.id(), ingress.getId()));
        }
      }
      for (String gateway : concerned.gateways) {
        String[] parts = gateway.split("/");
        add(wanted, parts[0], parts[1]);
      }
      for (String taskId : concerned.placedTasks) {
        TaskRecord task = TaskRecord.find(state, taskId);
        List<String> networks = task == null || task.nodeId().isEmpty() ? null : attachments.of(task.intent());
        if (networks != null) {
          networks.forEach(network -> add(wanted, task.nodeId(), network));
        }
      }
      wanted.forEach((node, networks) -> gateways.give(node, networks, decision));
    }

    private static void add(Map<String, Set<String>> wanted, String nodeId, String networkId) {
      wanted.computeIfAbsent(nodeId, node -> new TreeSet<>()).add(networkId);
    }

    private void giveEndpoints() {
      for (String serviceId : concerned.services) {
        try {
          EffectiveSpec spec = EffectiveSpec.of(state, serviceId);
          if (spec != null) {
            endpoints.decide(spec, decision);
          }
        } catch (RuntimeException e) {
          decision.quarantine(serviceId, e.toString());
        }
      }
    }

    /** Who has waited longest is served first. */
    private void giveAddresses() {
      List<TaskRecord> waiting = new ArrayList<>();
      for (String taskId : concerned.tasks) {
        TaskRecord task = TaskRecord.find(state, taskId);
        if (task != null && Addresses.waits(state, task)) {
          waiting.add(task);
        }
      }
      waiting.sort(
          Comparator.comparingLong((TaskRecord task) -> task.intentRow().createRevision())
              .thenComparingLong(task -> task.intent().getSlot())
              .thenComparing(TaskRecord::id));
      for (TaskRecord task : waiting) {
        try {
          addresses.decide(task, decision);
        } catch (RuntimeException e) {
          decision.quarantine(task.intent().getServiceId(), e.toString());
        }
      }
    }
  }
}
