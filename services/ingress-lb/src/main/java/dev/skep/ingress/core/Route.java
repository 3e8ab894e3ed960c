package dev.skep.ingress.core;

import java.util.List;

/** Where a published port leads. No backends: connections are refused at once, the port stays open. */
public record Route(PublishedPort published, String serviceId, String serviceName, ProxyHeader header, List<Backend> backends) {
  public Route {
    backends = List.copyOf(backends);
  }
}
