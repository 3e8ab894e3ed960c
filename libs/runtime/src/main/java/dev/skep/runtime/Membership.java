package dev.skep.runtime;

import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Which node of which cluster this host is. Durable: it survives restarts. {@code swarm init} and {@code join} make it,
 * {@code leave} ends it; the agent listens and starts or cleans up accordingly.
 */
public interface Membership {
  /**
   * @param advertiseAddress under which other nodes know it, without a port
   * @param dataPathAddress where its overlay traffic goes; empty: the advertised one
   * @param listenAddress host:port of its network door, which is open while it is a manager
   * @param managers host:port of the network doors of all managers that it knows, in the order in which it tries them; of a
   *     manager its own comes first, as others reach it
   */
  record Identity(
      String clusterId, String nodeId, boolean manager, String advertiseAddress, String dataPathAddress, String listenAddress,
      List<String> managers) {
    public Identity {
      managers = List.copyOf(managers);
    }

    /** One without a network door, that knows no other. */
    public Identity(String clusterId, String nodeId, boolean manager, String advertiseAddress, String dataPathAddress) {
      this(clusterId, nodeId, manager, advertiseAddress, dataPathAddress, "", List.of());
    }

    /** In another role. */
    public Identity as(boolean isManager, List<String> addresses) {
      return new Identity(clusterId, nodeId, isManager, advertiseAddress, dataPathAddress, listenAddress, addresses);
    }

    /** host:port under which others reach its network door, when it has one. */
    public String door() {
      String port = listenAddress.isEmpty() ? Integer.toString(NetworkDoor.PORT) : listenAddress.substring(listenAddress.lastIndexOf(':') + 1);
      return (advertiseAddress.indexOf(':') >= 0 ? "[" + advertiseAddress + "]" : advertiseAddress) + ":" + port;
    }

    public Identity withManagers(List<String> addresses) {
      return new Identity(clusterId, nodeId, manager, advertiseAddress, dataPathAddress, listenAddress, addresses);
    }
  }

  Optional<Identity> current();

  void become(Identity identity);

  /** As {@link #become}, but it counts from the process's next start on: nobody here hears of it. */
  void prepare(Identity identity);

  void leave();

  /** Calls at once with the current value, then on every change, in order. */
  AutoCloseable listen(Consumer<Optional<Identity>> listener);
}
