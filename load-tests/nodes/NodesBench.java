import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What happens on the nodes of swarm mode and of Skep, in two labs of the same kind, measured from outside in turns: a node
 * is cut from the network, a task comes and goes, a node joins.
 *
 * <p>Arguments: the launcher, rounds, nodes, then name=lab=socket below a host's /run, per system.
 */
final class NodesBench {
  record System(String name, String lab, String socket) {
    String api(int node) {
      return "/var/lib/skep-lab/" + lab + "/node" + node + "/run/" + socket;
    }

    String engine(int node) {
      return "/var/lib/skep-lab/" + lab + "/node" + node + "/run/docker.sock";
    }
  }

  private static final String IMAGE = "skep-hello:1";
  private static String launcher;
  private static int nodes;
  private static final int DOOR = 8080;
  private static final Map<String, List<Double>> FIGURES = new TreeMap<>();

  /** What one system's nodes are asked all the time; {@code door} is null where published ports do not answer. */
  record Watching(Watchers names, Watchers door) {
    void close() {
      names.close();
      if (door != null) {
        door.close();
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    launcher = arguments[0];
    int rounds = Integer.parseInt(arguments[1]);
    nodes = Integer.parseInt(arguments[2]);
    List<System> systems = new ArrayList<>();
    for (int i = 3; i < arguments.length; i++) {
      String[] parts = arguments[i].split("=");
      systems.add(new System(parts[0], parts[1], parts[2]));
    }
    Map<System, Watching> watching = new java.util.LinkedHashMap<>();
    try {
      for (System system : systems) {
        prepare(system);
        watching.put(system, watch(system));
      }
      for (int round = 0; round < rounds; round++) {
        for (System system : round % 2 == 0 ? systems : systems.reversed()) {
          say("round " + (round + 1) + ", " + system.name());
          try {
            round(system, watching.get(system));
          } catch (IllegalStateException stuck) {
            say(system.name() + " did not get on: " + stuck.getMessage()); // the figures so far count, the other system goes on
          }
        }
      }
    } finally {
      watching.values().forEach(Watching::close);
      print(systems);
    }
  }

  private static void round(System system, Watching watching) throws Exception {
    for (int change = 0; change < 5; change++) {
      change(system, watching.names());
      doorChange(system, watching.door());
    }
    cut(system, watching.names());
    silence(system);
    join(system);
  }

  private static void prepare(System system) throws Exception {
    docker(system, "network", "create", "-d", "overlay", "back");
    docker(system, "service", "create", "-d", "--no-resolve-image", "--name", "client", "--mode", "global", "--network", "back", "--entrypoint", "sleep", "--stop-signal",
        "SIGKILL", IMAGE, "100000");
    docker(system, "service", "create", "-d", "--no-resolve-image", "--name", "web", "--replicas", Integer.toString(nodes), "--network", "back", "--entrypoint", "sleep",
        "--stop-signal", "SIGKILL", "--restart-delay", "0s", IMAGE, "100000");
    docker(system, "service", "create", "-d", "--no-resolve-image", "--name", "door", "--replicas", "2", "-p", DOOR + ":80", "--entrypoint", "sh", "--stop-signal",
        "SIGKILL", "--restart-delay", "0s", IMAGE, "-c", "hostname >/www/name; exec httpd -f -p 80 -h /www");
    until("everything runs on " + system.name(), Duration.ofSeconds(90), () -> running(system, "web").size() == nodes && running(system, "client").size() == nodes && running(system, "door").size() == 2);
  }

  private static Watching watch(System system) throws IOException {
    Watchers names = Watchers.ofName(launcher, system.lab(), clients(system), "tasks.web");
    Watchers door = Watchers.ofDoor(launcher, system.lab(), nodes, DOOR);
    Instant limit = Instant.now().plusSeconds(20);
    while (!door.any() && Instant.now().isBefore(limit)) {
      pause(Duration.ofMillis(100));
    }
    if (!door.any()) {
      say(system.name() + ": published ports do not answer on this machine; they are not measured");
      door.close();
      door = null;
    }
    return new Watching(names, door);
  }

  /** A task more, a task killed: until every node's names show it. */
  private static void change(System system, Watchers watchers) throws Exception {
    until("quiet", Duration.ofSeconds(90), () -> watchers.agree(running(system, "web").size()));
    int before = running(system, "web").size();
    int victim = hostOf(system, "web");
    String container = containers(system, victim, "web").getFirst();
    String address = address(system, victim, container);
    Instant killed = Instant.now();
    UnixHttp.call(system.engine(victim), "POST", "/containers/" + container + "/kill", "");
    until("the dead task's name is gone", Duration.ofSeconds(60), () -> watchers.within(killed, address, false) != null);
    watchers.within(killed, address, false).forEach(gone -> note(system, "a task is killed: its address left a node's names", gone));
    watchers.within(told(system, container), address, false).forEach(gone -> note(system, "an endpoint ended: its address left a node's names", gone));
    until("a new task runs", Duration.ofSeconds(60), () -> running(system, "web").size() == before && watchers.agree(before));
    for (int node = 1; node <= nodes; node++) {
      for (String each : containers(system, node, "web")) {
        Map<?, ?> inspected = (Map<?, ?>) new Json(UnixHttp.call(system.engine(node), "GET", "/containers/" + each + "/json", null)).value();
        Instant started = Instant.parse((String) at(inspected, "State", "StartedAt"));
        if (started.isAfter(killed)) {
          watchers.within(started, address(system, node, each), true).forEach(seen -> note(system, "a task started: its address is in a node's names", seen));
          watchers.within(told(system, each), address(system, node, each), true)
              .forEach(seen -> note(system, "an endpoint came: its address is in a node's names", seen));
        }
      }
    }
  }

  /** A task behind a published port killed: until every node's port leads to its successor. */
  private static void doorChange(System system, Watchers watchers) throws Exception {
    if (watchers == null) {
      return;
    }
    until("two answer", Duration.ofSeconds(90), () -> watchers.agree(2) && containersOf(system, "door").size() == 2);
    Set<String> before = containersOf(system, "door");
    String victim = before.iterator().next();
    int node = 1;
    while (!containers(system, node, "door").contains(victim)) {
      node++;
    }
    UnixHttp.call(system.engine(node), "POST", "/containers/" + victim + "/kill", "");
    Set<String> fresh = new TreeSet<>();
    until("a new task runs", Duration.ofSeconds(60), () -> {
      fresh.addAll(containersOf(system, "door"));
      fresh.removeAll(before);
      return !fresh.isEmpty();
    });
    String next = fresh.iterator().next();
    Instant told = told(system, next);
    until("it answers everywhere", Duration.ofSeconds(60), () -> watchers.within(told, next.substring(0, 12), true) != null);
    watchers.within(told, next.substring(0, 12), true).forEach(seen -> note(system, "an endpoint came: it answers at a node's published port", seen));
  }

  /** When the node saw that the container's task runs, or ended: the moment at which its endpoint changed. */
  private static Instant told(System system, String container) {
    return list(system, 1, "/tasks").stream().filter(task -> container.equals(at(task, "Status", "ContainerStatus", "ContainerID")))
        .map(task -> Instant.parse((String) at(task, "Status", "Timestamp"))).findFirst().orElseThrow();
  }

  /** The containers of the service's running tasks. */
  private static Set<String> containersOf(System system, String service) {
    return running(system, service).stream().map(task -> (String) at(task, "Status", "ContainerStatus", "ContainerID")).collect(Collectors.toCollection(TreeSet::new));
  }

  /** The last node loses its network: its tasks leave the names of the others, it is down, its tasks run elsewhere. */
  private static void cut(System system, Watchers watchers) throws Exception {
    until("quiet", Duration.ofSeconds(90), () -> !containers(system, nodes, "web").isEmpty() && watchers.agree(nodes));
    Set<String> lost = new TreeSet<>();
    for (String container : containers(system, nodes, "web")) {
      lost.add(address(system, nodes, container));
    }
    String id = nodeIds(system, "node" + nodes, "ready").getFirst();
    run("ip", "-n", "skep-lab-" + system.lab(), "link", "set", "node" + nodes, "down");
    Instant began = Instant.now();
    until("the node is down", Duration.ofSeconds(60), () -> nodeIds(system, "node" + nodes, "down").contains(id));
    note(system, "node cut: it is seen down", since(began));
    until("its tasks run elsewhere", Duration.ofSeconds(120), () -> running(system, "web").stream().filter(task -> !id.equals(task.get("NodeID"))).count() == nodes);
    note(system, "node cut: its tasks run elsewhere", since(began));
    until("out of traffic", Duration.ofSeconds(60), () -> lost.stream().allMatch(address -> watchers.withoutCut(began, address) != null));
    lost.forEach(address -> watchers.withoutCut(began, address).forEach(gone -> note(system, "node cut: its tasks left another node's names", gone)));
    run("ip", "-n", "skep-lab-" + system.lab(), "link", "set", "node" + nodes, "up");
    until("the node is back", Duration.ofSeconds(90), () -> nodeIds(system, "node" + nodes, "ready").contains(id));
    until("its old tasks are gone", Duration.ofSeconds(90), () -> containers(system, nodes, "web").isEmpty() && running(system, "client").size() == nodes);
    // tasks do not come back by themselves: the service is spread anew
    spread(system);
    until("spread again", Duration.ofSeconds(120), () -> !containers(system, nodes, "web").isEmpty() && running(system, "web").size() == nodes && watchers.agree(nodes));
  }

  private static void spread(System system) throws Exception {
    docker(system, "service", "scale", "-d", "web=0");
    until("nothing runs", Duration.ofSeconds(90), () -> java.util.stream.IntStream.rangeClosed(1, nodes).allMatch(node -> containers(system, node, "web").isEmpty()));
    docker(system, "service", "scale", "-d", "web=" + nodes);
  }

  /** Two seconds without the network: nothing may move. */
  private static void silence(System system) throws Exception {
    Set<String> before = tasks(system);
    run("ip", "-n", "skep-lab-" + system.lab(), "link", "set", "node" + nodes, "down");
    pause(Duration.ofSeconds(2));
    run("ip", "-n", "skep-lab-" + system.lab(), "link", "set", "node" + nodes, "up");
    pause(Duration.ofSeconds(6));
    Set<String> moved = tasks(system);
    moved.removeAll(before);
    note(system, "tasks that a silence of 2 s moved", moved.size());
  }

  /** The last node leaves and joins again. */
  private static void join(System system) throws Exception {
    String token = docker(system, "swarm", "join-token", "-q", "worker").strip();
    String id = nodeIds(system, "node" + nodes, "ready").getFirst();
    UnixHttp.call(system.api(nodes), "POST", "/swarm/leave", "");
    until("the node is down", Duration.ofSeconds(90), () -> nodeIds(system, "node" + nodes, "down").contains(id));
    UnixHttp.call(system.api(1), "DELETE", "/nodes/" + id + "?force=true", null);
    until("the tasks run on the others", Duration.ofSeconds(90), () -> running(system, "web").size() == nodes);
    String address = "192.168.88." + nodes;
    Instant began = Instant.now();
    UnixHttp.call(system.api(nodes), "POST", "/swarm/join",
        "{\"ListenAddr\":\"0.0.0.0:2377\",\"AdvertiseAddr\":\"" + address + "\",\"DataPathAddr\":\"\",\"RemoteAddrs\":[\"192.168.88.1:2377\"],\"JoinToken\":\"" + token
            + "\",\"Availability\":\"active\"}");
    note(system, "join: the call is answered", since(began));
    until("the node is ready", Duration.ofSeconds(60), () -> !nodeIds(system, "node" + nodes, "ready").isEmpty());
    note(system, "join: the node is ready", since(began));
    until("its global task runs", Duration.ofSeconds(60), () -> running(system, "client").size() == nodes);
    note(system, "join: its global task runs", since(began));
    spread(system);
    until("spread again", Duration.ofSeconds(120), () -> !containers(system, nodes, "web").isEmpty() && running(system, "web").size() == nodes);
  }

  // ---- what the systems say ----

  private static List<Map<String, Object>> running(System system, String service) {
    return list(system, 1, "/tasks?filters=" + java.net.URLEncoder.encode("{\"service\":[\"" + service + "\"],\"desired-state\":[\"running\"]}", StandardCharsets.UTF_8)).stream()
        .filter(task -> "running".equals(at(task, "Status", "State"))).toList();
  }

  private static Set<String> tasks(System system) {
    return running(system, "web").stream().map(task -> (String) task.get("ID")).collect(Collectors.toCollection(TreeSet::new));
  }

  private static List<String> nodeIds(System system, String host, String state) {
    return list(system, 1, "/nodes").stream().filter(node -> host.equals(at(node, "Description", "Hostname")) && state.equals(at(node, "Status", "State")))
        .map(node -> (String) node.get("ID")).toList();
  }

  private static List<String> containers(System system, int node, String service) {
    String filter = java.net.URLEncoder.encode("{\"label\":[\"com.docker.swarm.service.name=" + service + "\"]}", StandardCharsets.UTF_8);
    try {
      List<String> ids = new ArrayList<>();
      for (Object container : (List<?>) new Json(UnixHttp.call(system.engine(node), "GET", "/containers/json?filters=" + filter, null)).value()) {
        ids.add((String) ((Map<?, ?>) container).get("Id"));
      }
      return ids;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A worker that runs a task of the service. */
  private static int hostOf(System system, String service) {
    for (int node = 2; node < nodes; node++) {
      if (!containers(system, node, service).isEmpty()) {
        return node;
      }
    }
    return 1;
  }

  private static String address(System system, int node, String container) throws IOException {
    Object networks = at((Map<?, ?>) new Json(UnixHttp.call(system.engine(node), "GET", "/containers/" + container + "/json", null)).value(), "NetworkSettings", "Networks");
    for (Object network : ((Map<?, ?>) networks).values()) {
      String address = (String) ((Map<?, ?>) network).get("IPAddress");
      if (address.startsWith("10.")) {
        return address;
      }
    }
    throw new IllegalStateException("no address: " + networks);
  }

  @SuppressWarnings("unchecked")
  private static List<Map<String, Object>> list(System system, int node, String path) {
    try {
      return (List<Map<String, Object>>) new Json(UnixHttp.call(system.api(node), "GET", path, null)).value();
    } catch (IOException e) {
      say(path + ": " + e.getMessage());
      return List.of(); // asked again by whoever waits
    }
  }

  private static Object at(Map<?, ?> map, String... path) {
    Object value = map;
    for (String key : path) {
      value = value instanceof Map<?, ?> inner ? inner.get(key) : null;
    }
    return value;
  }

  private static List<Long> clients(System system) throws IOException {
    List<Long> processes = new ArrayList<>();
    for (int node = 1; node <= nodes; node++) {
      String container = containers(system, node, "client").getFirst();
      Map<?, ?> client = (Map<?, ?>) new Json(UnixHttp.call(system.engine(node), "GET", "/containers/" + container + "/json", null)).value();
      processes.add(((Number) at(client, "State", "Pid")).longValue());
    }
    return processes;
  }

  // ---- figures ----

  private static void note(System system, String what, double value) {
    FIGURES.computeIfAbsent(what + "\t" + system.name(), _ -> new ArrayList<>()).add(value);
  }

  private static void print(List<System> systems) {
    Function<List<Double>, String> shown = values -> {
      List<Double> sorted = values.stream().sorted().toList();
      return String.format(Locale.ROOT, "%.3f / %.3f / %.3f (%d)", sorted.get((sorted.size() - 1) / 2), sorted.get((int) Math.ceil(sorted.size() * 0.99) - 1), sorted.getLast(),
          sorted.size());
    };
    say("| median / p99 / max (count), seconds | " + systems.stream().map(System::name).collect(Collectors.joining(" | ")) + " |");
    say("|---|" + "---|".repeat(systems.size()));
    for (String what : FIGURES.keySet().stream().map(key -> key.split("\t")[0]).collect(Collectors.toCollection(TreeSet::new))) {
      say("| " + what + " | " + systems.stream().map(system -> FIGURES.getOrDefault(what + "\t" + system.name(), List.of()))
          .map(values -> values.isEmpty() ? "-" : shown.apply(values)).collect(Collectors.joining(" | ")) + " |");
    }
  }

  private static double since(Instant moment) {
    return Duration.between(moment, Instant.now()).toNanos() / 1e9;
  }

  private static void until(String what, Duration limit, BooleanSupplier question) {
    Instant end = Instant.now().plus(limit);
    while (!question.getAsBoolean()) {
      if (Instant.now().isAfter(end)) {
        throw new IllegalStateException("not within " + limit + ": " + what);
      }
      pause(Duration.ofMillis(15));
    }
  }

  private static void pause(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void say(String line) {
    java.lang.System.out.println(line);
  }

  private static String docker(System system, String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of("docker", "-H", "unix://" + system.api(1)));
    all.addAll(List.of(words));
    return run(all.toArray(String[]::new));
  }

  private static String run(String... words) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", words) + ": " + output);
    }
    return output;
  }
}
