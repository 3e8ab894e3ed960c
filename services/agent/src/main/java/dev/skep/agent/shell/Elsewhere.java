package dev.skep.agent.shell;

import dev.skep.agent.core.Search;
import dev.skep.dispatcher.v1.DispatcherGrpc;
import dev.skep.dispatcher.v1.ReadyReply;
import dev.skep.dispatcher.v1.ReadyRequest;
import dev.skep.runtime.Host;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks all other dispatchers whether they have the store, while the own one has lost it. State is the agent's thread's. */
final class Elsewhere {
  private static final Logger LOG = LoggerFactory.getLogger(Elsewhere.class);
  private static final Duration ANSWER = Duration.ofSeconds(2); // a first connection on a busy machine takes a while

  private final Host host;
  private final Executor agent;
  private final Consumer<String> go;
  private Search search = Search.NONE;
  private long mine; // answers to an earlier search say nothing about this one

  /** @param go the manager that has the store */
  Elsewhere(Host host, Executor agent, Consumer<String> go) {
    this.host = host;
    this.agent = agent;
    this.go = go;
  }

  /** What the own dispatcher says of its store, or would if it took the session. */
  void told(boolean lost) {
    if (!lost) {
      end();
      return;
    }
    if (search.equals(Search.NONE)) {
      LOG.warn("this node's manager has lost the store: looking for another one that has it");
    }
    search = search.lost(host.clock().instant());
    if (search.asks(host.clock().instant())) {
      search = search.asked(host.clock().instant());
      host.managers().forEach(this::ask);
    }
  }

  private void end() {
    if (!search.equals(Search.NONE)) {
      search = Search.NONE;
      mine++;
    }
  }

  private void ask(String address) {
    long asked = mine;
    var answer = new OnAgent<ReadyReply>(
        agent, _ -> ready(address), why -> LOG.debug("{} does not take this node: {}", address, why), () -> asked == mine, false);
    // Not on the agent's thread: to look up where a manager is may take a while, and the beats must go on.
    host.blocking("agent-elsewhere", () -> DispatcherGrpc.newStub(host.peer(address))
        .withDeadlineAfter(ANSWER.toMillis(), TimeUnit.MILLISECONDS).ready(ReadyRequest.getDefaultInstance(), answer));
  }

  private void ready(String address) {
    search = search.found(host.clock().instant());
    if (search.sure(host.clock().instant())) {
      end();
      go.accept(address);
    }
  }
}
