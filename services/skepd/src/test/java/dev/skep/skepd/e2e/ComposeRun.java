package dev.skep.skepd.e2e;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** docker compose with a file of ours, on a machine's engine: the plugin where the CLI has it, else Debian's docker-compose. */
final class ComposeRun {
  private static final Duration LONGEST = Duration.ofMinutes(6);

  private final Machine machine;
  private final Path file;
  private final Map<String, String> variables;
  private final List<String> program;

  ComposeRun(Machine machine, Path file, Map<String, String> variables) {
    this.machine = machine;
    this.file = file;
    this.variables = new TreeMap<>(variables);
    this.variables.put("DOCKER_HOST", "unix://" + machine.engineSocket());
    this.variables.put("COMPOSE_HTTP_TIMEOUT", "300");
    boolean plugin = machine.engine("compose", "version").exit() == 0;
    this.program = plugin ? List.of(Machine.NEW_CLI, "compose") : List.of("docker-compose");
  }

  /** Runs with these words behind the file's name. */
  Command.Result compose(String... words) {
    List<String> line = new ArrayList<>(program);
    line.addAll(List.of("-f", file.toString()));
    line.addAll(List.of(words));
    return new Command(line, variables, LONGEST).run();
  }

  void up(Collection<String> services) {
    List<String> words = new ArrayList<>(List.of("up", "-d"));
    words.addAll(services);
    compose(words.toArray(String[]::new)).succeeds();
  }

  /** The id of a service's container, whatever compose called it. */
  String container(String service) {
    return machine.engine("ps", "-aq", "--no-trunc", "--filter", "label=com.docker.compose.service=" + service).text();
  }

  /** What {@code docker inspect} says of a service's container. */
  String inspect(String service, String format) {
    return machine.engine("inspect", "-f", format, container(service)).text();
  }

  /** A program in a service's container. */
  Command.Result exec(String service, String... words) {
    List<String> line = new ArrayList<>(List.of("exec", container(service)));
    line.addAll(List.of(words));
    return machine.engine(line.toArray(String[]::new));
  }

  /** For a failure: how all containers are, what they said last, and what each thread of these services is at. */
  String state(Collection<String> jvms) {
    jvms.forEach(service -> machine.engine("kill", "--signal", "QUIT", container(service)));
    StringBuilder said = new StringBuilder(machine.engine("ps", "-a", "--format", "{{.Names}} {{.Status}}").output());
    said.append(compose("logs", "--no-color", "--tail", "25").output());
    jvms.forEach(service -> said.append("---- ").append(service).append('\n').append(machine.engine("logs", "--tail", "600", container(service)).output()));
    return said.toString();
  }
}
