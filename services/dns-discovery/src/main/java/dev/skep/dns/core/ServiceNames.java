package dev.skep.dns.core;

import dev.skep.feed.v1.EndpointAddress;
import dev.skep.feed.v1.EndpointEntry;
import dev.skep.feed.v1.NetworkEntry;
import dev.skep.feed.v1.ServiceEntry;
import dev.skep.feed.v1.ServiceNetwork;
import dev.skep.state.FeedState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** What one service adds to the names of one network: names to addresses, and addresses to names. */
record ServiceNames(Map<String, List<Integer>> names, Map<Integer, String> pointers) {

  /** By network id. Not on the ingress network, which only routes; as in swarm mode, no names live there. */
  static Map<String, ServiceNames> of(FeedState feed, String serviceId) {
    Map<String, ServiceNames> found = new TreeMap<>();
    ServiceEntry service = feed.service(serviceId).orElse(null);
    if (service == null) {
      return found;
    }
    List<EndpointEntry> serving = feed.endpointsOf(serviceId).stream().filter(EndpointEntry::getServing).toList();
    for (ServiceNetwork attached : service.getNetworksList()) {
      NetworkEntry network = feed.network(attached.getNetworkId()).orElse(null);
      if (network != null && !network.getIngress()) {
        found.put(network.getId(), on(network, attached, service, serving));
      }
    }
    return found;
  }

  private static ServiceNames on(NetworkEntry network, ServiceNetwork attached, ServiceEntry service, List<EndpointEntry> serving) {
    Map<String, List<Integer>> names = new HashMap<>();
    Map<Integer, String> pointers = new HashMap<>();
    String domain = "." + lower(network.getName());
    List<Integer> tasks = new ArrayList<>();
    for (EndpointEntry endpoint : serving) {
      for (EndpointAddress address : endpoint.getAddressesList()) {
        int number = Addresses.parse(address.getAddress());
        if (number != 0 && address.getNetworkId().equals(network.getId())) {
          tasks.add(number);
          names.put(lower(endpoint.getName()), List.of(number));
          pointers.put(number, lower(endpoint.getName()) + domain);
        }
      }
    }
    List<Integer> all = List.copyOf(tasks);
    int vip = service.getResolution().equals("dnsrr") ? 0 : Addresses.parse(attached.getVip());
    List<Integer> main = vip == 0 ? all : List.of(vip);
    if (vip != 0) {
      pointers.put(vip, lower(service.getName()) + domain);
    }
    List<String> own = new ArrayList<>(attached.getAliasesList());
    own.add(service.getName());
    for (String name : own) {
      names.put(lower(name), main);
      names.put("tasks." + lower(name), all);
    }
    return new ServiceNames(Map.copyOf(names), Map.copyOf(pointers));
  }

  private static String lower(String name) {
    return name.toLowerCase(Locale.ROOT);
  }
}
