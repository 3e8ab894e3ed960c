package dev.skep.dns.core;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The names of one network. A name may come from several services (a shared alias): then it has the addresses of all.
 * Immutable once it is in a {@link Zone}; {@link #edit} makes the next one.
 */
final class NetworkNames {
  /** A name's addresses by the service that adds them; {@code all} is what answers are made of. */
  record Entry(SortedMap<String, List<Integer>> byService, int[] all) {
    static Entry of(SortedMap<String, List<Integer>> byService) {
      return new Entry(byService, byService.values().stream().flatMap(List::stream).mapToInt(Integer::intValue).distinct().toArray());
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Entry that && byService.equals(that.byService);
    }

    @Override
    public int hashCode() {
      return byService.hashCode();
    }
  }

  private final String domain;
  private final int subnet;
  private final int mask;
  private final Map<String, Entry> names;
  private final Map<Integer, String> pointers;

  private NetworkNames(String domain, int subnet, int mask, Map<String, Entry> names, Map<Integer, String> pointers) {
    this.domain = domain;
    this.subnet = subnet;
    this.mask = mask;
    this.names = names;
    this.pointers = pointers;
  }

  static NetworkNames empty(String name, String cidr) {
    int slash = cidr.indexOf('/');
    int bits = slash < 0 ? 0 : Integer.parseInt(cidr.substring(slash + 1));
    int mask = bits == 0 ? 0 : -1 << 32 - bits;
    int subnet = slash < 0 ? 0 : Addresses.parse(cidr.substring(0, slash)) & mask;
    return new NetworkNames("." + name, subnet, mask, new HashMap<>(), new HashMap<>());
  }

  /** The addresses of a name, empty when it is known but has none now, null when it is unknown. */
  int[] addresses(String name) {
    Entry entry = names.get(name);
    return entry == null ? null : entry.all;
  }

  /** The network's name with a dot before it: the suffix that picks this network. */
  String domain() {
    return domain;
  }

  String pointer(int address) {
    return pointers.get(address);
  }

  boolean contains(int address) {
    return mask != 0 && (address & mask) == subnet;
  }

  int size() {
    return names.size();
  }

  NetworkNames edit() {
    return new NetworkNames(domain, subnet, mask, new HashMap<>(names), new HashMap<>(pointers));
  }

  /** Only on what {@link #edit} or {@link #empty} gave, before it is shared. */
  void remove(String serviceId, ServiceNames old) {
    old.names().keySet().forEach(name -> names.computeIfPresent(name, (key, entry) -> with(entry, serviceId, null)));
    old.pointers().forEach((address, name) -> pointers.remove(address, name));
  }

  /** As {@link #remove}. */
  void add(String serviceId, ServiceNames fresh) {
    fresh.names().forEach((name, addresses) -> names.compute(name, (key, entry) -> with(entry, serviceId, addresses)));
    pointers.putAll(fresh.pointers());
  }

  private static Entry with(Entry entry, String serviceId, List<Integer> addresses) {
    SortedMap<String, List<Integer>> byService = entry == null ? new TreeMap<>() : new TreeMap<>(entry.byService);
    if (addresses == null) {
      byService.remove(serviceId);
    } else {
      byService.put(serviceId, addresses);
    }
    return byService.isEmpty() ? null : Entry.of(byService);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NetworkNames that
        && domain.equals(that.domain)
        && subnet == that.subnet
        && mask == that.mask
        && names.equals(that.names)
        && pointers.equals(that.pointers);
  }

  @Override
  public int hashCode() {
    return names.hashCode();
  }

  @Override
  public String toString() {
    return domain + " " + names + " " + pointers;
  }
}
