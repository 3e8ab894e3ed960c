package dev.skep.ingress.core;

import dev.skep.api.v1.PortConfig;
import dev.skep.feed.v1.EndpointAddress;
import dev.skep.feed.v1.EndpointEntry;
import dev.skep.feed.v1.NetworkEntry;
import dev.skep.feed.v1.ServiceEntry;
import dev.skep.state.FeedState;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * All published ports of the cluster and where each leads, as the feed says. {@link #next} does only what changed and
 * comes to the same as {@link #of}.
 */
public final class Routes {
  public static final String PROXY_PROTOCOL_LABEL = "skep.ingress.proxy-protocol";

  private final FeedState feed;
  private final SortedMap<String, List<Route>> byService;
  private final SortedMap<PublishedPort, Route> byPort;

  private Routes(FeedState feed, SortedMap<String, List<Route>> byService) {
    this.feed = feed;
    this.byService = byService;
    this.byPort = merged(byService);
  }

  public static Routes of(FeedState feed) {
    SortedMap<String, List<Route>> byService = new TreeMap<>();
    String ingress = ingressNetwork(feed);
    for (ServiceEntry service : feed.services()) {
      put(byService, service.getId(), routes(feed, service, ingress));
    }
    return new Routes(feed, byService);
  }

  /** The routes of a later feed, of which the keys in {@code changed} differ from this one's. */
  public Routes next(FeedState later, Set<String> changed) {
    String ingress = ingressNetwork(later);
    if (!ingress.equals(ingressNetwork(feed))) {
      return of(later);
    }
    Set<String> services = new TreeSet<>();
    for (String key : changed) {
      if (key.startsWith("service/")) {
        services.add(key.substring("service/".length()));
      } else if (key.startsWith("endpoint/")) {
        String task = key.substring("endpoint/".length());
        feed.endpoint(task).map(EndpointEntry::getServiceId).ifPresent(services::add);
        later.endpoint(task).map(EndpointEntry::getServiceId).ifPresent(services::add);
      }
    }
    SortedMap<String, List<Route>> after = new TreeMap<>(byService);
    for (String id : services) {
      put(after, id, later.service(id).map(service -> routes(later, service, ingress)).orElse(List.of()));
    }
    return new Routes(later, after);
  }

  public SortedMap<PublishedPort, Route> all() {
    return byPort;
  }

  public Optional<Route> at(PublishedPort port) {
    return Optional.ofNullable(byPort.get(port));
  }

  /** What differs from earlier routes: ports to open or to change, and ports to close. */
  public record Diff(List<Route> put, List<PublishedPort> closed) {}

  public Diff since(Routes earlier) {
    List<Route> put = new ArrayList<>();
    byPort.forEach(
        (port, route) -> {
          if (!route.equals(earlier.byPort.get(port))) {
            put.add(route);
          }
        });
    List<PublishedPort> closed = earlier.byPort.keySet().stream().filter(port -> !byPort.containsKey(port)).toList();
    return new Diff(put, closed);
  }

  private static String ingressNetwork(FeedState feed) {
    return feed.networks().stream().filter(NetworkEntry::getIngress).map(NetworkEntry::getId).findFirst().orElse("");
  }

  private static void put(SortedMap<String, List<Route>> byService, String id, List<Route> routes) {
    if (routes.isEmpty()) {
      byService.remove(id);
    } else {
      byService.put(id, routes);
    }
  }

  private static List<Route> routes(FeedState feed, ServiceEntry service, String ingress) {
    List<Route> routes = new ArrayList<>();
    for (PortConfig port : service.getPortsList()) {
      if (port.getPublishMode().equals("host") || port.getPublishedPort() == 0) {
        continue;
      }
      String protocol = port.getProtocol().isEmpty() ? "tcp" : port.getProtocol();
      ProxyHeader header = ProxyHeader.fromLabel(service.getLabelsOrDefault(PROXY_PROTOCOL_LABEL, ""));
      routes.add(
          new Route(
              new PublishedPort(protocol, port.getPublishedPort()),
              service.getId(),
              service.getName(),
              header,
              backends(feed, service, ingress, port.getTargetPort())));
    }
    return List.copyOf(routes);
  }

  private static List<Backend> backends(FeedState feed, ServiceEntry service, String ingress, int target) {
    List<Backend> backends = new ArrayList<>();
    for (EndpointEntry endpoint : feed.endpointsOf(service.getId())) {
      if (!endpoint.getServing()) {
        continue;
      }
      for (EndpointAddress address : endpoint.getAddressesList()) {
        if (address.getNetworkId().equals(ingress) && !address.getAddress().isEmpty()) {
          backends.add(new Backend(endpoint.getTaskId(), address.getAddress(), target));
          break;
        }
      }
    }
    return backends;
  }

  /** Two services never hold one port; should the feed say so while a port moves, the lower service id has it. */
  private static SortedMap<PublishedPort, Route> merged(SortedMap<String, List<Route>> byService) {
    SortedMap<PublishedPort, Route> merged = new TreeMap<>();
    byService.values().forEach(routes -> routes.forEach(route -> merged.putIfAbsent(route.published(), route)));
    return Collections.unmodifiableSortedMap(merged);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Routes that && byPort.equals(that.byPort);
  }

  @Override
  public int hashCode() {
    return Objects.hash(byPort);
  }
}
