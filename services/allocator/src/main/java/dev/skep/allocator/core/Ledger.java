package dev.skep.allocator.core;

import dev.skep.api.v1.EndpointVirtualIP;
import dev.skep.api.v1.IPAMPool;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.RowCursor;
import dev.skep.state.Rows;
import dev.skep.state.Subnet;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.TaskAddress;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * All addresses of the cluster while one decision is made: what is stored, less what this decision deletes, and what it
 * has given so far. The books are made in one pass over all rows, and only when an address is asked for.
 */
final class Ledger {
  private final ClusterState state;
  private final Map<String, NetworkPoolRow> pools = new HashMap<>(); // those decided just now
  private final Set<Key<?>> deleted = new HashSet<>();
  private Map<String, Book> books;

  Ledger(ClusterState state) {
    this.state = state;
  }

  void delete(Key<?> key) {
    deleted.add(key);
  }

  boolean deletes(Key<?> key) {
    return deleted.contains(key);
  }

  void pool(NetworkPoolRow pool) {
    pools.put(pool.getNetworkId(), pool);
    if (books != null && pool.getError().isEmpty()) {
      books.put(pool.getNetworkId(), book(pool));
    }
  }

  /** The network's pool, of this decision or stored; null when there is none. */
  NetworkPoolRow pool(String networkId) {
    NetworkPoolRow fresh = pools.get(networkId);
    return fresh != null ? fresh : state.value(Rows.POOL.key(networkId));
  }

  /** The book of a network; null when it has no subnet. */
  Book book(String networkId) {
    if (books == null) {
      open();
    }
    return books.get(networkId);
  }

  private void open() {
    books = new HashMap<>();
    for (Row<NetworkPoolRow> pool : state.rows(Rows.POOL)) {
      if (pool.value().getError().isEmpty()) {
        books.put(pool.key().lastPart(), book(pool.value()));
      }
    }
    pools.values().stream().filter(pool -> pool.getError().isEmpty()).forEach(pool -> books.put(pool.getNetworkId(), book(pool)));
    for (Row<NodeGatewayRow> row : state.rows(Rows.GATEWAY)) {
      Book book = books.get(row.value().getNetworkId());
      if (book != null && !row.value().getAddress().isEmpty() && !deletes(row.key())) {
        book.noteGateway(Subnet.addressOf(row.value().getAddress()), row.createRevision());
      }
    }
    for (Row<ServiceEndpointRow> row : state.rows(Rows.ENDPOINT)) {
      boolean held = !deletes(row.key());
      for (EndpointVirtualIP vip : row.value().getVirtualIpsList()) {
        note(vip.getNetworkId(), vip.getAddr(), row.createRevision(), held);
      }
    }
    noteTasks();
  }

  private void noteTasks() {
    RowCursor<TaskStatusRow> statuses = new RowCursor<>(state.rows(Rows.STATUS));
    for (Row<TaskAddressRow> row : state.rows(Rows.ADDRESS)) {
      List<TaskAddress> addresses = row.value().getAddressesList();
      Row<TaskStatusRow> status = statuses.at(row.key().lastPart());
      if (addresses.isEmpty()) {
        continue;
      }
      boolean stopped = status != null && status.value().getStateValue() > TaskState.TASK_RUNNING_VALUE;
      boolean held = !stopped && !deletes(row.key());
      for (TaskAddress address : addresses) {
        note(address.getNetworkId(), address.getAddress(), row.createRevision(), held);
      }
    }
  }

  private void note(String networkId, String address, long createRevision, boolean held) {
    Book book = books.get(networkId);
    if (book != null) {
      book.note(Subnet.addressOf(address), createRevision, held);
    }
  }

  private Book book(NetworkPoolRow pool) {
    NetworkRow network = state.value(Rows.NETWORK.key(pool.getNetworkId()));
    IPAMPool asked = network == null || network.getPoolsCount() == 0 ? IPAMPool.getDefaultInstance() : network.getPools(0);
    return new Book(network == null ? pool.getNetworkId() : network.getName(), Subnet.parse(pool.getSubnet()), asked);
  }

  /** Networks that tasks still hold addresses in, whether they run or are history. */
  Set<String> networksOfTasks() {
    Set<String> used = new HashSet<>();
    RowCursor<TaskIntentRow> intents = new RowCursor<>(state.rows(Rows.INTENT));
    for (Row<TaskAddressRow> row : state.rows(Rows.ADDRESS)) {
      if (intents.at(row.key().lastPart()) != null) {
        row.value().getAddressesList().forEach(address -> used.add(address.getNetworkId()));
      }
    }
    return used;
  }
}
