package dev.skep.agent.shell;

import dev.skep.api.v1.NodeDescription;
import dev.skep.runtime.Host;
import dev.skep.state.Subnet;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What this node is and which networks its host leads to, as last seen. State is the agent's thread's. */
final class FactsWatch {
  private static final Logger LOG = LoggerFactory.getLogger(FactsWatch.class);
  private static final Duration RETRY = Duration.ofMillis(200);
  /** An engine that is away for less is nobody's business. */
  private static final Duration ENGINE_PATIENCE = Duration.ofSeconds(2);
  private static final Duration HANGS = Duration.ofSeconds(30); // longer than any answer but a busy engine's

  private final Host host;
  private final Executor agent;
  private final Engine engine;
  private final Commands commands;
  private final String underlay;
  private final Runnable moved;
  private NodeDescription description = NodeDescription.getDefaultInstance();
  private List<HostRoutes.Route> routes = List.of();
  private String problem = "";
  private String engineProblem = "";
  private EngineCalls.Waiting hanging; // as it was last said

  /** {@code moved} runs after every look that brought an answer, and when the engine is found to be away. */
  FactsWatch(Host host, Executor agent, Engine engine, Commands commands, String underlay, Runnable moved) {
    this.host = host;
    this.agent = agent;
    this.engine = engine;
    this.commands = commands;
    this.underlay = underlay;
    this.moved = moved;
  }

  NodeDescription description() {
    return description;
  }

  /** Judged now and not when they were read: a bridge of ours may be younger than our knowledge of it. */
  SortedSet<String> routes(Set<String> ourBridges) {
    SortedSet<String> foreign = HostRoutes.foreign(routes, ourBridges);
    // A host with a /32 address and a default route has no route that keeps overlays away from it.
    if (underlay.matches("[0-9.]+") && !underlay.startsWith("127.")) {
      long address = Subnet.addressOf(underlay);
      if (foreign.stream().noneMatch(route -> Subnet.parse(route).contains(address))) {
        foreign.add(underlay + "/32");
      }
    }
    return foreign;
  }

  /** Why the engine cannot be used; empty while it can. */
  String engineProblem() {
    return engineProblem;
  }

  /** The engine's events broke off: is it away? */
  void lookSoon() {
    host.after(ENGINE_PATIENCE, () -> agent.execute(this::look));
  }

  void look() {
    EngineCalls.Waiting now = engine.calls().hanging(HANGS).orElse(null);
    if (now != null && now != hanging) {
      LOG.warn("the engine has not answered {}; what waits for it goes on when it does, or when the engine is started again", now);
    }
    hanging = now;
    host.blocking(
        "agent-facts",
        () -> {
          try {
            NodeDescription about = NodeFacts.describe(engine);
            List<HostRoutes.Route> seen = HostRoutes.all(commands);
            agent.execute(
                () -> {
                  description = about;
                  routes = seen;
                  problem = "";
                  engineProblem = "";
                  moved.run();
                });
          } catch (EngineException e) {
            agent.execute(() -> {
              engineProblem = e.getMessage();
              failed(e.getMessage());
            });
          } catch (Commands.Failed e) {
            agent.execute(() -> failed(e.getMessage()));
          }
        });
  }

  private void failed(String why) {
    if (!why.equals(problem)) {
      problem = why;
      LOG.warn("this node cannot be described: {}; tried again", why);
    }
    if (description.getHostname().isEmpty()) {
      host.after(RETRY, () -> agent.execute(this::look));
    } else {
      moved.run();
    }
  }
}
