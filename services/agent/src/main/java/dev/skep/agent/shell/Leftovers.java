package dev.skep.agent.shell;

import com.fasterxml.jackson.databind.JsonNode;
import dev.skep.agent.core.Adoption;
import dev.skep.agent.core.Ownership;
import dev.skep.agent.shell.EngineException.Refused;
import dev.skep.runtime.Host;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds and removes what an instance of ours has on an engine and in the kernel. Blocking. */
public final class Leftovers {
  private static final Logger LOG = LoggerFactory.getLogger(Leftovers.class);

  private Leftovers() {}

  static List<Adoption.Found> containers(Engine engine) throws EngineException {
    List<Adoption.Found> found = new ArrayList<>();
    for (JsonNode container : engine.get("/containers/json?all=1&filters=" + Engine.filters(Map.of("label", List.of(Ownership.CLUSTER))))) {
      found.add(new Adoption.Found(container.path("Id").asText(), NodeNetworks.labels(container)));
    }
    return found;
  }

  /** Stops and removes these containers, each on a thread of its own. */
  static void end(List<String> doomed, Containers containers, Host host) {
    for (String container : doomed) {
      host.blocking("agent-remove-leftover", () -> {
        try {
          containers.stop("/containers/" + container, TaskEntry.GRACE);
          containers.remove("/containers/" + container);
        } catch (EngineException e) {
          LOG.warn("container {} of no task of this node stays for now: {}", container, e.getMessage());
        }
      });
    }
  }

  static void remove(Engine engine, Commands commands, String instance, Host host) {
    List<String> problems = remove(engine, commands, instance, work -> host.blocking("agent-remove-leftover", work));
    problems.forEach(problem -> LOG.error("not removed: {}", problem));
  }

  /**
   * Removes every container, network, tunnel, rule and route of the instance.
   *
   * @param threads runs its argument on a thread of its own
   * @return what could not be removed, and why
   */
  public static List<String> remove(Engine engine, Commands commands, String instance, Consumer<Runnable> threads) {
    List<String> problems = new ArrayList<>();
    try {
      removeContainers(engine, instance, threads, problems);
      for (JsonNode network : NodeNetworks.ours(engine, instance)) {
        attempt(problems, "network " + network.path("Name").asText(), () -> {
          engine.delete("/networks/" + network.path("Id").asText());
          NodeNetworks.dropBridge(commands, NodeNetworks.bridge(network));
        });
      }
    } catch (EngineException e) {
      problems.add(e.getMessage());
    }
    Ownership names = new Ownership(instance, "", "");
    try {
      TunnelDevices.removeAll(commands, names);
    } catch (Commands.Failed failed) {
      problems.add(failed.getMessage());
    }
    try {
      // Adding it first makes the deletion valid when it never was.
      commands.feed("table ip " + names.table() + "\ndelete table ip " + names.table() + "\n", "nft", "-f", "-");
      new FirewallGuard(commands, names).remove();
    } catch (Commands.Failed failed) {
      problems.add(failed.getMessage());
    }
    return problems;
  }

  private static void removeContainers(Engine engine, String instance, Consumer<Runnable> threads, List<String> problems)
      throws EngineException {
    List<CompletableFuture<String>> removals = new ArrayList<>();
    for (Adoption.Found container : containers(engine)) {
      if (Ownership.ofInstance(instance, container.labels())) {
        CompletableFuture<String> done = new CompletableFuture<>();
        removals.add(done);
        threads.accept(
            () -> {
              List<String> own = new ArrayList<>();
              attempt(own, "container " + container.id(), () -> engine.delete("/containers/" + container.id() + "?force=1&v=1"));
              done.complete(String.join("", own));
            });
      }
    }
    removals.stream().map(CompletableFuture::join).filter(problem -> !problem.isEmpty()).forEach(problems::add);
  }

  private interface Removal {
    void run() throws EngineException;
  }

  private static void attempt(List<String> problems, String what, Removal removal) {
    try {
      removal.run();
    } catch (Refused refused) {
      if (refused.status() != 404 && refused.status() != 409) {
        problems.add(what + ": " + refused.getMessage());
      }
    } catch (EngineException e) {
      problems.add(what + ": " + e.getMessage());
    }
  }
}
