package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;

/** Three managers with an etcd on each, and one worker: hosts as users make them. Each scenario leaves them as it found them. */
@Tag("e2e")
@Tag("engine")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ManagersOnHosts {
  static final List<Integer> MANAGERS = List.of(1, 2, 3);
  static final int WORKER = 4;
  /** Of a service whose tasks are on hosts to which nothing happens. */
  static final int PORT = 8600;
  /** Of a service whose tasks are on all hosts. */
  private static final int PORT_OF_ALL = 8601;
  private static final String LOG = "/var/lib/skep/log/skepd.log";
  private static final Pattern SESSION = Pattern.compile("session \\S+ with the cluster");
  /** A node that is away for less loses no task: 3 s without a word from it, less what may have passed since its last. */
  private static final Duration GRACE = Duration.ofMillis(2500);

  Lab lab;

  /** What a user sees of a fault, in milliseconds from it on; of its end, from that on. */
  record Figures(String fault, long otherLeader, long shownDown, long back, long silence, int requests, int failed, int writes, int refused) {
    @Override
    public String toString() {
      return "%s: other leader shown after %s, host shown down after %s, manager again %s after its end; longest time without an acknowledged write %d ms; %d requests, %d failed; %d writes, %d refused"
          .formatted(fault, ms(otherLeader), ms(shownDown), ms(back), silence, requests, failed, writes, refused);
    }

    private static String ms(long time) {
      return time < 0 ? "-" : time + " ms";
    }
  }

  @BeforeAll
  void up() {
    List<String> options = new ArrayList<>(List.of("--managers", "3"));
    options.addAll(more());
    lab = Lab.up("managers", 4, options.toArray(String[]::new));
  }

  /** Of {@code lab up}, besides. */
  List<String> more() {
    return List.of();
  }

  @AfterAll
  void down() {
    lab.close();
  }

  @BeforeEach
  void sayWhere(TestInfo test) {
    lab.nodes().forEach(node -> lab.sh(node, "echo '-- " + test.getDisplayName() + "' >>" + LOG));
  }

  @AfterEach
  void removeEverything() {
    for (String row : lab.skepLab("status").succeeds().lines()) {
      if (row.startsWith("node")) {
        String node = row.substring(4, row.indexOf(' '));
        if (row.contains(" cut ")) {
          lab.skepLab("heal", node).succeeds();
        }
        if (row.contains(" frozen ")) {
          lab.skepLab("thaw", node).succeeds();
        }
        if (row.contains(" off ") || row.contains(" dead ") || row.contains(" - ")) {
          lab.skepLab("start", node).succeeds();
        }
      }
    }
    lab.asks(2);
    Machine.eventually("a manager answers", () -> lab.docker("node", "ls"), answer -> answer.exit() == 0);
    for (int manager : MANAGERS) {
      if (!lab.managers(2).containsKey(manager)) {
        lab.docker("node", "promote", "node" + manager).succeeds();
      }
    }
    allManage();
    lab.asks(1);
    Command.of("sh", "-c", "export DOCKER_HOST=" + lab.api(1) + "; s=$(docker service ls -q); [ -z \"$s\" ] || docker service rm $s").run();
    Invariants.nothingIsLeft(lab);
  }

  /** Every manager says that all are, that one of them leads, and that every host is ready. */
  final void allManage() {
    for (int manager : MANAGERS) {
      Machine.eventually("node" + manager + " sees three managers and one leader", () -> lab.managers(manager), seen -> seen.keySet().containsAll(MANAGERS)
          && seen.values().stream().filter("Leader"::equals).count() == 1 && seen.values().stream().filter("Reachable"::equals).count() == 2);
      Machine.eventually("node" + manager + " sees every host ready", () -> lab.dockerOn(manager, "node", "ls", "--format", "{{.Status}}").lines(),
          seen -> seen.equals(List.of("Ready", "Ready", "Ready", "Ready")));
    }
  }

  final int leader() {
    SortedMap<Integer, String> seen = Machine.eventually("there is a leader", () -> lab.managers(lab.asked()), managers -> managers.containsValue("Leader"));
    return leader(seen);
  }

  private static int leader(Map<Integer, String> managers) {
    return managers.entrySet().stream().filter(manager -> manager.getValue().equals("Leader")).map(Map.Entry::getKey).findFirst().orElse(0);
  }

  /** A manager that is not the leader. */
  final int other() {
    int leader = leader();
    return MANAGERS.stream().filter(manager -> manager != leader).findFirst().orElseThrow();
  }

  final void create(String... words) {
    List<String> all = new ArrayList<>(List.of("service", "create", "--detach", "--no-resolve-image"));
    all.addAll(List.of(words));
    lab.docker(all.toArray(String[]::new)).succeeds();
  }

  /** How a host of the cluster ends up, seen through the others. */
  enum Seen { DOWN, READY }

  /**
   * What happens to a manager while users go on at the others, and its end. Nothing fails for them, nothing that was
   * acknowledged is lost, and what runs on other hosts does not notice.
   *
   * @param seen how the host is shown meanwhile
   */
  final Figures survived(String fault, int host, Seen seen, Runnable begin, Runnable end) {
    boolean led = host == leader();
    List<Integer> managers = MANAGERS.stream().filter(manager -> manager != host).toList();
    List<Integer> hosts = lab.nodes().stream().filter(node -> node != host).toList();
    lab.asks(managers.getFirst());
    create("--name", "stays", "--replicas", "3", "--constraint", "node.hostname!=node" + host, "--publish", PORT + ":80", ThreeNodes.IMAGE, "greeter");
    create("--name", "all", "--replicas", "4", "--publish", PORT_OF_ALL + ":80", ThreeNodes.IMAGE, "greeter");
    lab.replicas("stays", "3/3");
    lab.replicas("all", "4/4");
    Invariants.meshIsTrue(lab, "stays", PORT);
    Map<Integer, List<String>> before = running(hosts);
    List<String> touched = lab.containers(host, "all");
    try (ManagersLoad load = new ManagersLoad(lab, "w", hosts, PORT, managers)) {
      load.goesOn(4);
      String mark = "-- fault begins " + Instant.now();
      lab.sh(host, "echo '" + mark + "' >>" + LOG);
      long began = System.nanoTime();
      begin.run();
      long otherLeader = led && seen == Seen.DOWN ? since(began, "another leads", managers, view -> leader(view) != 0 && leader(view) != host) : -1;
      long shownDown = seen == Seen.DOWN ? since(began, "it is shown as unreachable", managers, view -> "Unreachable".equals(view.get(host))) : -1;
      if (seen == Seen.DOWN) {
        lab.replicas("all", "4/4");
      }
      load.goesOn(6);
      long ended = System.nanoTime();
      end.run();
      long back = since(ended, "it is a manager again", managers, view -> List.of("Reachable", "Leader").contains(view.getOrDefault(host, "")));
      allManage();
      load.goesOn(4);
      load.stop();
      Figures figures = new Figures(fault, otherLeader, shownDown, back, load.longestSilence(), load.requests(), load.failures().size(), load.writes().size(),
          load.writes().size() - load.acknowledged());
      System.out.println("managers: " + figures);
      assertThat(load.failures()).as("requests for tasks to which nothing happened").isEmpty();
      running(hosts).forEach((node, now) -> assertThat(now).as("what ran on node%d before", node).containsAll(before.get(node)));
      if (seen == Seen.READY && !wasDown(host, mark)) {
        assertThat(lab.containers(host, "all")).as("what ran on the host itself").isEqualTo(touched);
      }
      everythingIsThere(load);
      return figures;
    }
  }

  /** Whether its node was without a session for longer than the cluster waits: then its tasks run elsewhere, rightly. */
  private boolean wasDown(int host, String mark) {
    List<String> since = lab.sh(host, "sed -n '/^" + mark + "$/,$p' " + LOG).lines();
    Instant from = Instant.parse(mark.substring(mark.lastIndexOf(' ') + 1));
    return since.stream().filter(line -> SESSION.matcher(line).find()).findFirst()
        .map(line -> Instant.parse(line.substring(0, line.indexOf(' '))).isAfter(from.plus(GRACE))).orElse(false);
  }

  private Map<Integer, List<String>> running(List<Integer> hosts) {
    Map<Integer, List<String>> found = new TreeMap<>();
    for (int node : hosts) {
      List<String> containers = new ArrayList<>(lab.containers(node, "stays"));
      containers.addAll(lab.containers(node, "all"));
      found.put(node, containers);
    }
    return found;
  }

  /** Milliseconds until each of them sees it. */
  private long since(long began, String what, List<Integer> managers, java.util.function.Predicate<Map<Integer, String>> right) {
    managers.forEach(manager -> Machine.eventually("node" + manager + " says that " + what, () -> lab.managers(manager), right::test));
    return Duration.ofNanos(System.nanoTime() - began).toMillis();
  }

  /** What was acknowledged is known to every manager; each slot has one container; the log tells the same story as the store. */
  private void everythingIsThere(ManagersLoad load) {
    List<String> acknowledged = load.writes().stream().filter(ManagersLoad.Write::acknowledged).map(ManagersLoad.Write::name).toList();
    for (int manager : MANAGERS) {
      assertThat(lab.dockerOn(manager, "service", "ls", "--format", "{{.Name}}").succeeds().lines()).as("node%d knows what was acknowledged", manager).containsAll(acknowledged);
    }
    Invariants.hold(lab);
    Invariants.meshIsTrue(lab, "stays", PORT);
    Invariants.meshIsTrue(lab, "all", PORT_OF_ALL);
    Machine.eventually("the log replays to what the store has", () -> lab.sh(1, "skep replay"), answer -> answer.exit() == 0);
  }
}
