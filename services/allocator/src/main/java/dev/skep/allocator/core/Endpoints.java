package dev.skep.allocator.core;

import dev.skep.api.v1.EndpointVirtualIP;
import dev.skep.api.v1.PortConfig;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decision;
import dev.skep.state.EffectiveSpec;
import dev.skep.state.Rows;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.TemplateRow;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The virtual IPs and published ports of a service. What it has once been given it keeps as long as it asks for it. */
final class Endpoints {
  private static final String NO_INGRESS = "service needs ingress network, but no ingress network is present";

  private final ClusterState state;
  private final Ledger ledger;
  private final Attachments attachments;
  private final Ports ports;
  private final Map<String, ServiceEndpointRow> decided = new HashMap<>();

  Endpoints(ClusterState state, Ledger ledger, Attachments attachments) {
    this.state = state;
    this.ledger = ledger;
    this.attachments = attachments;
    this.ports = new Ports(state, ledger);
  }

  /** The service's endpoint, of this decision or stored; null when there is none. */
  ServiceEndpointRow of(String serviceId) {
    ServiceEndpointRow fresh = decided.get(serviceId);
    return fresh != null ? fresh : state.value(Rows.ENDPOINT.key(serviceId));
  }

  void decide(EffectiveSpec spec, Decision.Builder decision) {
    String serviceId = spec.serviceId();
    ServiceEndpointRow stored = state.value(Rows.ENDPOINT.key(serviceId));
    ServiceEndpointRow before = stored == null ? ServiceEndpointRow.getDefaultInstance() : stored;
    TemplateRow template = spec.template();
    ServiceEndpointRow.Builder row = ServiceEndpointRow.newBuilder().setServiceId(serviceId).setTemplate(template.getNumber());
    List<String> errors = new ArrayList<>();
    if (Attachments.publishesByIngress(template) && attachments.ingress() == null) {
      errors.add(NO_INGRESS);
    }
    if (!template.getEndpoint().getMode().equals("dnsrr")) {
      for (String networkId : attachments.of(template)) {
        virtualIp(before, networkId, row, errors);
      }
    }
    ChangeSet.Builder set = ChangeSet.about(serviceId).present(Rows.SERVICE.key(serviceId));
    for (PortConfig port : template.getEndpoint().getPortsList()) {
      row.addPorts(published(before, serviceId, port, set, errors));
    }
    ServiceEndpointRow after = row.setError(String.join("; ", errors)).build();
    decided.put(serviceId, after);
    if (!after.equals(stored)) {
      decision.change(set.put(Rows.ENDPOINT.key(serviceId), after));
    }
  }

  private void virtualIp(ServiceEndpointRow before, String networkId, ServiceEndpointRow.Builder row, List<String> errors) {
    for (EndpointVirtualIP vip : before.getVirtualIpsList()) {
      if (vip.getNetworkId().equals(networkId)) {
        row.addVirtualIps(vip);
        return;
      }
    }
    String missing = missing(state, ledger, networkId);
    if (!missing.isEmpty()) {
      errors.add(missing);
      return;
    }
    Book book = ledger.book(networkId);
    long address = book.take();
    if (address < 0) {
      errors.add(book.exhausted());
    } else {
      row.addVirtualIps(EndpointVirtualIP.newBuilder().setNetworkId(networkId).setAddr(book.subnet().interfaceText(address)));
    }
  }

  private PortConfig published(
      ServiceEndpointRow before, String serviceId, PortConfig port, ChangeSet.Builder set, List<String> errors) {
    if (port.getPublishedPort() != 0 || !Ports.byIngress(port)) {
      return port;
    }
    String protocol = Ports.protocol(port);
    for (PortConfig old : before.getPortsList()) {
      boolean same = old.getPublishedPort() != 0 && old.toBuilder().setPublishedPort(0).build().equals(port);
      // Whoever asked for this very number has it: control-api may have said yes before it saw that it was given here.
      if (same && !ports.named(protocol, old.getPublishedPort(), serviceId)) {
        return old;
      }
    }
    int number = ports.take(protocol, serviceId);
    if (number < 0) {
      errors.add(Ports.EXHAUSTED);
      return port;
    }
    var name = Rows.NAME.key("port", protocol, Integer.toString(number));
    if (!state.has(name) && set.operations() + 1 < ChangeSet.MAX_OPERATIONS) {
      // Nobody may have asked for this very port in the meantime. Of hundreds left open not all can be guarded: there
      // the name that comes brings the service back here, and it moves to another port.
      set.absent(name);
    }
    return port.toBuilder().setPublishedPort(number).build();
  }

  /** Why nothing can be given in the network; empty when something can. */
  static String missing(ClusterState state, Ledger ledger, String networkId) {
    NetworkRow network = state.value(Rows.NETWORK.key(networkId));
    if (network == null) {
      return "network " + networkId + " not found";
    }
    NetworkPoolRow pool = ledger.pool(networkId);
    if (pool == null || !pool.getError().isEmpty()) {
      return "network " + network.getName() + " has no subnet" + (pool == null ? "" : ": " + pool.getError());
    }
    return "";
  }
}
