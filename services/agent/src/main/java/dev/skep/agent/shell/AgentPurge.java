package dev.skep.agent.shell;

import dev.skep.runtime.host.CommandThreads;
import java.nio.file.Path;
import java.util.List;

/** Takes away everything of one instance from an engine and the kernel; needs no running daemon. */
public final class AgentPurge {
  private AgentPurge() {}

  /**
   * @param engine the engine's unix socket
   * @param instance "" or four hex digits, as in {@link dev.skep.agent.AgentConfig}
   * @return what could not be removed, and why; empty when nothing is left
   */
  public static List<String> purge(Path engine, String instance) {
    return purge(engine, instance, List.of());
  }

  public static List<String> purge(Path engine, String instance, List<String> commandPrefix) {
    try (Engine client = new Engine(engine);
        CommandThreads threads = new CommandThreads()) {
      return Leftovers.remove(client, new Commands(commandPrefix), instance, threads::execute);
    }
  }

  /** Arguments: the engine's socket, and the instance if it has a name. */
  public static void main(String[] args) {
    List<String> problems = purge(Path.of(args[0]), args.length > 1 ? args[1] : "");
    problems.forEach(problem -> System.err.println("not removed: " + problem));
    System.exit(problems.isEmpty() ? 0 : 1);
  }
}
