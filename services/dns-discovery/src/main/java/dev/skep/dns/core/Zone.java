package dev.skep.dns.core;

import dev.skep.feed.v1.EndpointAddress;
import dev.skep.feed.v1.EndpointEntry;
import dev.skep.feed.v1.NetworkEntry;
import dev.skep.feed.v1.ServiceEntry;
import dev.skep.state.FeedState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Everything that this node's resolver knows: who asks from which address, and what names mean on each network.
 * Immutable; {@link #next} copies only the networks that changed and comes to the same as {@link #of}.
 */
public final class Zone {
  /** What a name means for an asker. */
  public sealed interface Meaning {
    /** It is ours: these addresses, possibly none at the moment. */
    record Known(int[] addresses) implements Meaning {}

    /** Not ours: another resolver may know. */
    record Foreign() implements Meaning {}
  }

  private static final Meaning FOREIGN = new Meaning.Foreign();

  private final FeedState feed;
  private final Map<Integer, Asker> askers;
  private final Map<String, NetworkNames> networks;

  private Zone(FeedState feed, Map<Integer, Asker> askers, Map<String, NetworkNames> networks) {
    this.feed = feed;
    this.askers = askers;
    this.networks = networks;
  }

  public static Zone of(FeedState feed) {
    Map<String, NetworkNames> networks = new HashMap<>();
    for (NetworkEntry network : feed.networks()) {
      networks.put(network.getId(), NetworkNames.empty(network.getName().toLowerCase(Locale.ROOT), network.getSubnet()));
    }
    for (ServiceEntry service : feed.services()) {
      ServiceNames.of(feed, service.getId()).forEach((network, names) -> networks.get(network).add(service.getId(), names));
    }
    Map<Integer, Asker> askers = new HashMap<>();
    feed.endpoints().forEach(endpoint -> addAsker(askers, feed, endpoint));
    return new Zone(feed, askers, networks);
  }

  /** The zone of a later feed, of which the keys in {@code changed} differ from this one's. */
  public Zone next(FeedState later, Set<String> changed) {
    Set<String> services = new TreeSet<>();
    Set<String> endpoints = new TreeSet<>();
    for (String key : changed) {
      if (key.startsWith("network/")) {
        return of(later); // rare, and everything hangs on it
      }
      if (key.startsWith("service/")) {
        services.add(key.substring("service/".length()));
      } else if (key.startsWith("endpoint/")) {
        String task = key.substring("endpoint/".length());
        endpoints.add(task);
        feed.endpoint(task).map(EndpointEntry::getServiceId).ifPresent(services::add);
        later.endpoint(task).map(EndpointEntry::getServiceId).ifPresent(services::add);
      }
    }
    return new Zone(later, nextAskers(later, endpoints), nextNetworks(later, services));
  }

  private Map<String, NetworkNames> nextNetworks(FeedState later, Set<String> services) {
    Map<String, NetworkNames> edited = new TreeMap<>();
    List<Runnable> additions = new ArrayList<>();
    for (String service : services) {
      Map<String, ServiceNames> before = ServiceNames.of(feed, service);
      Map<String, ServiceNames> after = ServiceNames.of(later, service);
      if (before.equals(after)) {
        continue;
      }
      before.forEach((id, names) -> edited.computeIfAbsent(id, key -> networks.get(key).edit()).remove(service, names));
      after.forEach(
          (id, names) -> {
            NetworkNames network = edited.computeIfAbsent(id, key -> networks.get(key).edit());
            additions.add(() -> network.add(service, names));
          });
    }
    additions.forEach(Runnable::run); // after all removals: an address may have moved from one service to another
    if (edited.isEmpty()) {
      return networks;
    }
    Map<String, NetworkNames> next = new HashMap<>(networks);
    next.putAll(edited);
    return next;
  }

  private Map<Integer, Asker> nextAskers(FeedState later, Set<String> endpoints) {
    Map<Integer, Asker> before = new HashMap<>();
    Map<Integer, Asker> after = new HashMap<>();
    for (String task : endpoints) {
      feed.endpoint(task).ifPresent(endpoint -> addAsker(before, feed, endpoint));
      later.endpoint(task).ifPresent(endpoint -> addAsker(after, later, endpoint));
    }
    if (before.equals(after)) {
      return askers; // only whether they serve has changed
    }
    Map<Integer, Asker> next = new HashMap<>(askers);
    before.forEach((address, asker) -> next.remove(address, asker));
    next.putAll(after);
    return next;
  }

  private static void addAsker(Map<Integer, Asker> askers, FeedState feed, EndpointEntry endpoint) {
    List<String> names = new ArrayList<>();
    List<Integer> addresses = new ArrayList<>();
    boolean outside = false;
    for (EndpointAddress address : endpoint.getAddressesList()) {
      Optional<NetworkEntry> network = feed.network(address.getNetworkId());
      int number = Addresses.parse(address.getAddress());
      if (network.isEmpty() || number == 0) {
        continue;
      }
      addresses.add(number);
      outside |= !network.get().getInternal();
      if (!network.get().getIngress()) {
        names.add(network.get().getId());
      }
    }
    Asker asker = new Asker(endpoint.getTaskId(), names, outside, endpoint.getDnsServersList());
    addresses.forEach(address -> askers.put(address, asker));
  }

  /** The task with this address; null when it is none of the cluster's. */
  public Asker asker(int source) {
    return askers.get(source);
  }

  /** {@code name} in lower case without the last dot. */
  public Meaning meaning(Asker asker, String name) {
    for (String id : asker.networks()) {
      int[] found = networks.get(id).addresses(name);
      if (found != null) {
        return new Meaning.Known(found);
      }
    }
    for (String id : asker.networks()) {
      NetworkNames network = networks.get(id);
      if (name.endsWith(network.domain())) {
        int[] found = network.addresses(name.substring(0, name.length() - network.domain().length()));
        if (found != null) {
          return new Meaning.Known(found);
        }
      }
    }
    return FOREIGN;
  }

  /** The name behind an address on one of the asker's networks; empty text: the address is on one, and nobody has it; null: it is not. */
  String pointer(Asker asker, int address) {
    String nobody = null;
    for (String id : asker.networks()) {
      NetworkNames network = networks.get(id);
      String name = network.pointer(address);
      if (name != null) {
        return name;
      }
      nobody = network.contains(address) ? "" : nobody;
    }
    return nobody;
  }

  /** How many names all networks have together. */
  public int names() {
    return networks.values().stream().mapToInt(NetworkNames::size).sum();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Zone that && askers.equals(that.askers) && networks.equals(that.networks);
  }

  @Override
  public int hashCode() {
    return askers.hashCode();
  }

  @Override
  public String toString() {
    return askers + " " + networks;
  }
}
