package dev.skep.skepd.e2e;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What holds of a cluster whatever happened to its hosts, once it is quiet. */
final class Invariants {
  private Invariants() {}

  /** Every service has what it wants; the hosts run that and no more; no address is held twice. */
  static void hold(Lab lab) {
    Machine.eventually("every service has its replicas", () -> lab.docker("service", "ls", "--format", "{{.Name}} {{.Replicas}}").succeeds().lines(),
        seen -> seen.stream().allMatch(line -> {
          String[] count = line.split(" ")[1].split("/");
          return count[0].equals(count[1]);
        }));
    Machine.eventually("the hosts run what the cluster says", () -> differences(lab), List::isEmpty);
    Machine.eventually("no address is held twice", () -> doubles(lab), List::isEmpty);
  }

  private static List<String> differences(Lab lab) {
    List<String> found = new ArrayList<>();
    for (String service : lab.docker("service", "ls", "--format", "{{.Name}}").succeeds().lines()) {
      List<String> running = new ArrayList<>();
      lab.nodes().forEach(node -> lab.containers(node, service).forEach(_ -> running.add("node" + node)));
      if (!running.equals(lab.hostsOf(service))) {
        found.add(service + ": containers on " + running + ", `service ps` says " + lab.hostsOf(service));
      }
    }
    return found;
  }

  /** Addresses of our networks, by network and address, over all hosts. */
  private static List<String> doubles(Lab lab) {
    Map<String, Set<String>> holders = new TreeMap<>();
    for (int node : lab.nodes()) {
      String format = "{{.Name}} {{range $n, $e := .NetworkSettings.Networks}}{{$n}}={{$e.IPAddress}} {{end}}";
      lab.sh(node, "export DOCKER_HOST=unix:///run/docker.sock; ids=$(docker ps -q --filter label=com.docker.swarm.service.name); [ -z \"$ids\" ] || docker inspect --format '"
          + format + "' $ids").lines().forEach(line -> {
            String[] words = line.split(" ");
            for (int i = 1; i < words.length; i++) {
              if (!words[i].startsWith("bridge=") && !words[i].startsWith("docker_gwbridge=") && !words[i].endsWith("=")) {
                holders.computeIfAbsent(words[i], _ -> new TreeSet<>()).add("node" + node + words[0]);
              }
            }
          });
    }
    return holders.entrySet().stream().filter(entry -> entry.getValue().size() > 1).map(Object::toString).toList();
  }

  /** From the client's container on every host: the names of the service's tasks are those that run, and no others. */
  static void namesAreTrue(Lab lab, String client, String service, String name) {
    for (int node : lab.nodes()) {
      for (String container : lab.containers(node, client)) {
        Machine.eventually("node" + node + " knows the tasks of " + service, () -> wrongNames(lab, node, container, service, name), List::isEmpty);
      }
    }
  }

  private static List<String> wrongNames(Lab lab, int node, String container, String service, String name) {
    String answer = lab.engine(node, "exec", container, "nslookup", "tasks." + name).output();
    Set<String> named = addresses(answer);
    List<String> wrong = new ArrayList<>();
    for (Set<String> task : running(lab, service)) {
      if (!named.removeIf(task::contains)) {
        wrong.add("not named: " + task);
      }
    }
    named.forEach(address -> wrong.add("stale: " + address));
    if (!wrong.isEmpty()) {
      wrong.add(answer);
    }
    return wrong;
  }

  static Set<String> addresses(String nslookup) {
    Set<String> found = new TreeSet<>();
    boolean answer = false;
    for (String line : nslookup.lines().toList()) {
      answer |= line.startsWith("Name:") || line.startsWith("Non-authoritative");
      if (answer && line.startsWith("Address")) {
        found.add(line.substring(line.indexOf(':') + 1).strip().split(" ")[0]);
      }
    }
    return found;
  }

  /** The addresses of each running task. */
  private static List<Set<String>> running(Lab lab, String service) {
    List<Set<String>> found = new ArrayList<>();
    for (int node : lab.nodes()) {
      for (String container : lab.containers(node, service)) {
        String networks = lab.engine(node, "inspect", "--format", "{{range $n, $e := .NetworkSettings.Networks}}{{$e.IPAddress}} {{end}}", container).text();
        found.add(Set.of(networks.split(" +")));
      }
    }
    return found;
  }

  /** Every host that is up answers on the port, from tasks that run, from all of them, and never with a failure. */
  static void meshIsTrue(Lab lab, String service, int port) {
    Set<String> tasks = new TreeSet<>();
    lab.nodes().forEach(node -> lab.containers(node, service).forEach(container -> tasks.add("greetings from " + container.substring(0, 12))));
    for (int node : lab.nodes()) {
      String ask = "for i in $(seq " + 3 * tasks.size() + "); do curl -s -m 5 http://" + lab.address(node) + ":" + port + "/ || echo failed; done";
      Machine.eventually("node" + node + " answers from all tasks of " + service + " and no others", () -> new TreeSet<>(lab.outside(ask).lines()), tasks::equals);
    }
  }

  /** After all services are gone: no container, and of bridges and tunnels only the engine's and those of `ingress`. */
  static void nothingIsLeft(Lab lab) {
    for (int node : lab.nodes()) {
      Machine.eventually("no container is left on node" + node, () -> lab.engine(node, "ps", "-aq", "--filter", "label=com.docker.swarm.service.name").text(), String::isEmpty);
      if (!Lab.NATIVE) {
        Machine.eventually("no device is left on node" + node,
            () -> lab.sh(node, "ip -o link | cut -d: -f2 | grep -E ' (sk[bx]|veth)' | grep -vE 'sk[bx]4096' || true").text(), String::isEmpty);
      }
    }
  }
}
