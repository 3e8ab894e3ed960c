package dev.skep.dns.core;

import java.util.List;

/**
 * The task behind a source address.
 *
 * @param networks ids of the networks whose names it sees, in the order of its addresses
 * @param outside whether it may learn names of the outside: not if all its networks are internal
 * @param servers its service's own resolvers; empty: the node's
 */
public record Asker(String taskId, List<String> networks, boolean outside, List<String> servers) {
  public Asker {
    networks = List.copyOf(networks);
    servers = List.copyOf(servers);
  }
}
