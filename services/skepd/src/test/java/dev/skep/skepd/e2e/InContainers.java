package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/** A machine on whose private engine a compose file of deploy/ runs, as a whole: images built there, without a registry. */
final class InContainers implements AutoCloseable {
  static final Path DEPLOY = Machine.HOME.resolve("deploy");
  private static final Duration BUILD = Duration.ofMinutes(10);
  /** Twelve processes and more start at once, on a machine that may have two busy cores. */
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  final Machine machine;
  final ComposeRun compose;
  private final Path folder;

  private InContainers(Machine machine, String file) {
    this.machine = machine;
    this.folder = machine.data().getParent();
    Map<String, String> variables = new TreeMap<>(infrastructure());
    variables.putAll(Map.of(
        "SKEP_ADVERTISE_ADDR", Machine.ADDRESS, "SKEP_RUN_DIR", folder.resolve("run").toString(),
        "SKEP_NODE_DIR", folder.resolve("node").toString(), "SKEP_ENGINE_SOCKET", machine.engineSocket()));
    this.compose = new ComposeRun(machine, DEPLOY.resolve(file), variables);
  }

  /** The images that are made here. Grafana's is not among them, and cannot be: Debian has none. */
  private static Map<String, String> infrastructure() {
    return Map.of("ETCD_IMAGE", "skep-infra/etcd:local", "KAFKA_IMAGE", "skep-infra/kafka:local", "PROMETHEUS_IMAGE", "skep-infra/prometheus:local");
  }

  /** Boots the machine, builds, starts all services of the file but Grafana, and waits for the node. */
  static InContainers boot(String name, String file) {
    Machine machine = Machine.boot(name);
    try {
      InContainers containers = new InContainers(machine, file);
      containers.script("images");
      containers.script("infra-images");
      containers.compose.up(containers.services());
      containers.watched("the node is ready", () -> containers.docker("node", "ls", "--format", "{{.Status}} {{.ManagerStatus}}").text(), "Ready Leader");
      return containers;
    } catch (RuntimeException | Error e) {
      machine.close();
      throw e;
    }
  }

  /** Every service but Grafana. */
  List<String> services() {
    return compose.compose("config", "--services").succeeds().lines().stream().filter(service -> !service.equals("grafana")).sorted().toList();
  }

  private void script(String name) {
    new Command(List.of(DEPLOY.resolve(name).toString(), "--engine", "unix://" + machine.engineSocket()), Map.of(), BUILD).run().succeeds();
  }

  /** The docker CLI against the cluster. */
  Command.Result docker(String... words) {
    return docker("docker.sock", words);
  }

  /** The docker CLI against the control-api with this socket. */
  Command.Result docker(String socket, String[] words) {
    return machine.cli(Machine.NEW_CLI, "unix://" + folder.resolve("run").resolve(socket), words).run();
  }

  /** Asks until the answer is right; the failure shows what the containers say. */
  void watched(String what, Supplier<String> question, String answer) {
    try {
      Machine.within(PATIENCE, what, question, answer::equals);
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + "\n" + docker("node", "ls").output() + docker("service", "ls").output() + compose.state(control()), e);
    }
  }

  void replicas(String service, String wanted) {
    watched(service + " has " + wanted, () -> docker("service", "ls", "--filter", "name=" + service, "--format", "{{.Replicas}}").text(), wanted);
  }

  void deployHello() {
    docker("stack", "deploy", "--resolve-image", "never", "-c", Machine.HOME.resolve("examples/hello/compose.yaml").toString(), "hello").succeeds();
    replicas("hello_web", "3/3");
    replicas("hello_greeter", "2/2");
    answers();
  }

  /** The published port, on this host and from its neighbour. */
  void answers() {
    String page = "http://" + Machine.ADDRESS + ":8080/cgi-bin/index.cgi";
    watched("the published port answers", () -> machine.get(page).replaceFirst(" from.*heard: greetings.*", ""), "hello");
    watched("it answers other hosts", () -> machine.outside("curl -s -m 5 " + page).text().replaceFirst(" from.*heard: greetings.*", ""), "hello");
  }

  /** Prometheus' answer to a query. */
  String prometheus(String query) {
    return Command.of("curl", "-s", "-m", "5", "--data-urlencode", "query=" + query, "http://127.0.0.1:9090/api/v1/query").inNamespace(machine.namespace()).run().text();
  }

  /** Every process of ours that stays. */
  List<String> control() {
    return services().stream().filter(service -> compose.inspect(service, "{{.Config.Image}}").startsWith("skep/"))
        .filter(service -> !service.equals("init") && !service.equals("certificates")).toList();
  }

  void healthy() {
    watched("all containers are healthy", () -> unhealthy().toString(), "[]");
  }

  /** Services, but those that end, whose container is not healthy. */
  private List<String> unhealthy() {
    return services().stream().filter(service -> !service.equals("init") && !service.equals("certificates"))
        .filter(service -> !compose.inspect(service, "{{.State.Status}} {{.State.Health.Status}}").equals("running healthy")).toList();
  }

  /** Ends a service's process from outside, as a crash would: the engine has not been told to, and so starts it again. */
  void crash(String service) {
    machine.kill9(Long.parseLong(compose.inspect(service, "{{.State.Pid}}")));
  }

  /** The engine has started it again. */
  void startedAgain(String service) {
    watched(service + " was started again", () -> compose.inspect(service, "{{gt .RestartCount 0}} {{.State.Running}}"), "true true");
  }

  /** Ids of a stack's containers. */
  String tasks(String stack) {
    return String.join("\n", machine.engine("ps", "-q", "--no-trunc", "--filter", "label=com.docker.stack.namespace=" + stack).lines().stream().sorted().toList());
  }

  /** Everything is stopped; nobody had to be killed, and whoever is ours says that all was well. */
  void stopInOrder() {
    compose.compose("stop").succeeds();
    for (String service : services()) {
      String code = compose.inspect(service, "{{.State.ExitCode}}");
      assertThat(code).as(service).isIn(service.startsWith("kafka") ? List.of("0", "143") : List.of("0")); // 143 is Kafka's own
    }
  }

  @Override
  public void close() {
    String agent = compose.container("agent");
    if (!agent.isEmpty()) {
      machine.engine("rm", "-f", agent); // what starts containers goes first
    }
    machine.close();
    Command.of("sync").run(); // gigabytes of images and topics: whoever is next must not find its first write behind them
  }
}
