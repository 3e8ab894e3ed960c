package dev.skep.ingress.core;

import java.util.Comparator;

/** A port as clients see it. {@code protocol} is tcp, udp or sctp. */
public record PublishedPort(String protocol, int port) implements Comparable<PublishedPort> {
  private static final Comparator<PublishedPort> ORDER = Comparator.comparing(PublishedPort::protocol).thenComparing(PublishedPort::port);

  @Override
  public int compareTo(PublishedPort other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return port + "/" + protocol;
  }
}
