package dev.skep.runtime;

import java.util.Optional;
import java.util.function.Consumer;

/**
 * Which node of which cluster this host is. Durable: it survives restarts. {@code swarm init} and {@code join} make it,
 * {@code leave} ends it; the agent listens and starts or cleans up accordingly.
 */
public interface Membership {
  record Identity(String clusterId, String nodeId, boolean manager, String advertiseAddress, String dataPathAddress) {}

  Optional<Identity> current();

  void become(Identity identity);

  void leave();

  /** Calls at once with the current value, then on every change, in order. */
  AutoCloseable listen(Consumer<Optional<Identity>> listener);
}
