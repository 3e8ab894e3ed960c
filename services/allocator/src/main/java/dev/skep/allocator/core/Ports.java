package dev.skep.allocator.core;

import dev.skep.api.v1.PortConfig;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.NameRow;
import dev.skep.state.v1.ServiceEndpointRow;
import java.util.HashSet;
import java.util.Set;

/** Published ports that the user left open: a number from the dynamic range, kept as long as the service publishes the port. */
final class Ports {
  private static final int FIRST = 30_000;
  private static final int LAST = 32_767;
  static final String EXHAUSTED = "no port left between " + FIRST + " and " + LAST;

  private final ClusterState state;
  private final Ledger ledger;
  private Set<String> used;

  Ports(ClusterState state, Ledger ledger) {
    this.state = state;
    this.ledger = ledger;
  }

  static boolean byIngress(PortConfig port) {
    return !port.getPublishMode().equals("host");
  }

  static String protocol(PortConfig port) {
    return port.getProtocol().isEmpty() ? "tcp" : port.getProtocol();
  }

  /** A free port, now taken; -1 when none is left. */
  int take(String protocol, String serviceId) {
    if (used == null) {
      open();
    }
    for (int port = FIRST; port <= LAST; port++) {
      if (!used.contains(protocol + port) && !named(protocol, port, serviceId)) {
        used.add(protocol + port);
        return port;
      }
    }
    return -1;
  }

  /** Another service asked for this very port. */
  boolean named(String protocol, int port, String serviceId) {
    NameRow name = state.value(Rows.NAME.key("port", protocol, Integer.toString(port)));
    return name != null && !name.getId().equals(serviceId);
  }

  private void open() {
    used = new HashSet<>();
    for (Row<ServiceEndpointRow> row : state.rows(Rows.ENDPOINT)) {
      if (!ledger.deletes(row.key())) {
        row.value().getPortsList().stream().filter(Ports::byIngress).forEach(port -> used.add(protocol(port) + port.getPublishedPort()));
      }
    }
  }
}
