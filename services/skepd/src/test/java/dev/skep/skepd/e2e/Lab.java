package dev.skep.skepd.e2e;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Several hosts of one cluster, made by the command that users have: {@code ./skep lab}. Node 1 is a manager. With
 * {@code -Dskep.lab.native=true} it is the engines' own swarm mode, which then tells whether a test asks for too much.
 */
final class Lab implements AutoCloseable {
  static final boolean NATIVE = Boolean.getBoolean("skep.lab.native");
  private static final Path BASE = Path.of("/var/lib/skep-lab");

  private final String name;
  private final int nodes;
  private volatile int manager = 1;

  private Lab(String name, int nodes) {
    this.name = name;
    this.nodes = nodes;
  }

  static Lab up(String name, int nodes, String... options) {
    Lab lab = new Lab(name, nodes);
    try {
      List<String> words = new ArrayList<>(List.of("--nodes", Integer.toString(nodes)));
      words.addAll(List.of(options));
      if (NATIVE) {
        words.add("--native");
      }
      lab.skepLab("down"); // what a run that was ended left behind
      lab.skepLab("up", words.toArray(String[]::new)).succeeds();
      return lab;
    } catch (RuntimeException | Error e) {
      lab.close();
      throw e;
    }
  }

  Command.Result skepLab(String verb, String... words) {
    List<String> all = new ArrayList<>(List.of(Machine.HOME.resolve("skep").toString(), "lab", verb, "--name", name));
    all.addAll(List.of(words));
    return new Command(all, Map.of(), Duration.ofSeconds(180)).run();
  }

  /** {@code cut}, {@code heal}, {@code kill}, {@code start}, {@code freeze}, {@code thaw} of one host. */
  Lab does(String verb, int node) {
    skepLab(verb, Integer.toString(node)).succeeds();
    return this;
  }

  List<Integer> nodes() {
    return IntStream.rangeClosed(1, nodes).boxed().toList();
  }

  String address(int node) {
    return "192.168.88." + node;
  }

  String api(int node) {
    return "unix://" + folder(node).resolve(NATIVE ? "run/docker.sock" : "run/skep/docker.sock");
  }

  /** The network of the hosts' neighbour. */
  String namespace() {
    return "skep-lab-" + name;
  }

  Path folder(int node) {
    return BASE.resolve(name).resolve("node" + node);
  }

  /** The docker CLI on the manager, or on the one that {@link #asks} named. */
  Command.Result docker(String... words) {
    return dockerOn(manager, words);
  }

  /** Through which manager everything goes from now on, where there are several. */
  Lab asks(int node) {
    manager = node;
    return this;
  }

  int asked() {
    return manager;
  }

  /** How a manager sees the managers: "Leader", "Reachable" or "Unreachable" by host. */
  SortedMap<Integer, String> managers(int through) {
    SortedMap<Integer, String> seen = new TreeMap<>();
    for (String row : dockerOn(through, "node", "ls", "--format", "{{.Hostname}} {{.ManagerStatus}}").lines()) {
      String[] words = row.strip().split(" ");
      if (words.length == 2 && words[0].matches("node[0-9]+")) {
        seen.put(Integer.parseInt(words[0].substring(4)), words[1]);
      }
    }
    return seen;
  }

  Command.Result dockerOn(int node, String... words) {
    return cli(api(node), words).run();
  }

  /** The docker CLI against a host's engine itself. */
  Command.Result engine(int node, String... words) {
    return cli("unix://" + folder(node).resolve("run/docker.sock"), words).run();
  }

  private static Command cli(String host, String... words) {
    List<String> all = new ArrayList<>(List.of(Machine.NEW_CLI));
    all.addAll(List.of(words));
    return new Command(all, Map.of("DOCKER_HOST", host), Duration.ofSeconds(120));
  }

  /** A shell line on a host. */
  Command.Result sh(int node, String line) {
    return skepLab("exec", Integer.toString(node), "sh", "-c", line);
  }

  /** A shell line on the hosts' neighbour. */
  Command.Result outside(String line) {
    return Command.of("sh", "-c", line).inNamespace(namespace()).run();
  }

  String get(int node, int port) {
    return outside("curl -s -m 5 http://" + address(node) + ":" + port + "/").text();
  }

  /** Waits until `service ls` shows this many replicas, for example "2/2". */
  void replicas(String service, String wanted) {
    Machine.eventually(service + " has " + wanted, () -> docker("service", "ls", "--format", "{{.Name}} {{.Replicas}}").output(),
        seen -> seen.lines().anyMatch(line -> line.equals(service + " " + wanted) || line.startsWith(service + " " + wanted + " ")));
  }

  /** The hosts on which tasks of the service run, by the cluster's account; one entry per task, sorted. */
  List<String> hostsOf(String service) {
    return docker("service", "ps", "--filter", "desired-state=running", "--format", "{{.Node}} {{.CurrentState}}", service).succeeds().lines().stream()
        .filter(line -> line.contains(" Running ")).map(line -> line.substring(0, line.indexOf(' '))).sorted().toList();
  }

  void runsOn(String service, String... hosts) {
    Machine.eventually(service + " runs on " + List.of(hosts), () -> hostsOf(service), List.of(hosts)::equals);
  }

  /** "Ready Active", "Down Drain" and so on. */
  String state(int node) {
    return states(node).stream().findFirst().orElse("");
  }

  void isIn(int node, String state) {
    Machine.eventually("node" + node + " is " + state, () -> state(node), state::equals);
  }

  /** The ids of all task containers that run, on all hosts. */
  List<String> allContainers() {
    return nodes().stream().flatMap(node -> engine(node, "ps", "-q", "--no-trunc", "--filter", "label=com.docker.swarm.service.name").lines().stream()).sorted().toList();
  }

  /** The running containers of a service on one host. */
  List<String> containers(int node, String service) {
    return engine(node, "ps", "-q", "--no-trunc", "--filter", "label=com.docker.swarm.service.name=" + service).lines();
  }

  /** Everything is plugged in, switched on, a member and free for tasks, whatever the last test left. */
  void mend() {
    for (String row : skepLab("status").succeeds().lines()) {
      if (row.startsWith("node")) {
        String node = row.substring(4, row.indexOf(' '));
        if (row.contains(" cut ")) {
          skepLab("heal", node).succeeds();
        }
        if (row.contains(" frozen ")) {
          skepLab("thaw", node).succeeds();
        }
        if (row.contains(" off ") || row.contains(" dead ") || row.contains(" - ")) {
          skepLab("start", node).succeeds();
        }
        if (row.contains(" none ")) {
          join(Integer.parseInt(node));
        }
      }
    }
    for (int node : nodes()) {
      Machine.eventually("node" + node + " is ready", () -> states(node), seen -> seen.stream().anyMatch(state -> state.startsWith("Ready")));
    }
    for (String row : docker("node", "ls", "--format", "{{.ID}} {{.Hostname}} {{.Status}} {{.Availability}}").succeeds().lines()) {
      String[] words = row.split(" ");
      if (words[2].equals("Down")) {
        docker("node", "rm", "--force", words[0]).succeeds();
      } else if (!words[3].equals("Active")) {
        docker("node", "update", "--availability", "active", words[0]).succeeds();
      }
    }
  }

  private List<String> states(int node) {
    return docker("node", "ls", "--format", "{{.Hostname}} {{.Status}} {{.Availability}}").succeeds().lines().stream()
        .filter(line -> line.startsWith("node" + node + " ")).map(line -> line.substring(line.indexOf(' ') + 1)).toList();
  }

  String token(String role) {
    return docker("swarm", "join-token", "-q", role).succeeds().text();
  }

  /** A host that is in no cluster joins this one. */
  void join(int node) {
    if (dockerOn(node, "info", "--format", "{{.Swarm.LocalNodeState}}").text().equals("inactive")) {
      dockerOn(node, "swarm", "join", "--token", token("worker"), address(1) + ":2377").succeeds();
    }
  }

  @Override
  public void close() {
    skepLab("down");
  }
}
