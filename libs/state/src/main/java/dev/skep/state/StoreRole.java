package dev.skep.state;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a service may write and read in a store that has users: its own rows and the chain of its own loops, nothing of
 * another service. All read what is not sealed, as every guard and every view is about others' rows.
 */
public enum StoreRole {
  CONTROL_API("control-api", List.of(Owner.API, Owner.SEALED), List.of(), true),
  ORCHESTRATOR("orchestrator", List.of(Owner.ORCHESTRATOR), List.of("orchestrator"), false),
  ALLOCATOR("allocator", List.of(Owner.ALLOCATOR), List.of("allocator"), false),
  SCHEDULER("scheduler", List.of(Owner.SCHEDULER), List.of("scheduler"), false),
  /** Opens what is sealed: it hands tokens, keys and credentials to those whom they are for. */
  DISPATCHER("dispatcher", List.of(Owner.DISPATCHER), List.of("dispatcher", "liveness"), true),
  RELAY("relay", List.of(), List.of("relay"), false);

  private final String service;
  private final List<Owner> owned;
  private final List<String> loops;
  private final boolean opensSealed;

  StoreRole(String service, List<Owner> owned, List<String> loops, boolean opensSealed) {
    this.service = service;
    this.owned = owned;
    this.loops = loops;
    this.opensSealed = opensSealed;
  }

  /** The service's folder name. */
  public String service() {
    return service;
  }

  /** Prefixes and keys that it may write; a prefix ends with a slash. */
  public List<String> writes() {
    return Stream.concat(owned.stream().map(Owner::prefix), loops.stream().map(loop -> Rows.LEADER.key(loop).path())).toList();
  }

  /** Prefixes that it may read. */
  public List<String> reads() {
    List<String> prefixes = new ArrayList<>();
    for (Owner owner : Owner.values()) {
      if (owner != Owner.SEALED || opensSealed) {
        prefixes.add(owner.prefix());
      }
    }
    return List.copyOf(prefixes);
  }

  public boolean opensSealed() {
    return opensSealed;
  }

  public boolean mayWrite(String path) {
    return covers(writes(), path);
  }

  public boolean mayRead(String path) {
    return covers(reads(), path);
  }

  private static boolean covers(List<String> granted, String path) {
    return granted.stream().anyMatch(one -> one.endsWith("/") ? path.startsWith(one) : path.equals(one));
  }
}
