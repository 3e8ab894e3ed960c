package dev.skep.skepd;

import dev.skep.agent.AgentConfig;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.grpc.Joining;
import dev.skep.runtime.host.BasicHost;
import dev.skep.runtime.identity.JoinToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * The training run of the start-up cache: a process in a temporary folder that starts, lives through a user's first
 * minutes and ends. What it loads and runs often is what the cache holds. It touches nothing of the machine: its engine
 * is a {@link RehearsalEngine}, and programs that would change the network are not run.
 */
final class Rehearsal {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int REPLICAS = 30;
  /** Stands before every network command, and answers as they would on a machine where all is as it should be. */
  private static final List<String> NO_COMMANDS = List.of("/bin/sh", "-c", """
      case "${1##*/} $2 $3" in
        "iptables -w -D") exit 1 ;;
        "nft -j list") echo '{"nftables":[{"chain":{"family":"ip","table":"skep_ffff","name":"nat","type":"nat","hook":"prerouting"}}]}' ;;
        "ip -4 -j" | "ip -j link") echo '[]' ;;
      esac""", "rehearsal");
  private static final String INIT = """
      {"ListenAddr":"127.0.0.1:0","AdvertiseAddr":"127.0.0.1","ForceNewCluster":false,"Spec":{"Labels":null}}""";
  private static final String NETWORK = """
      {"Name":"rehearsal","Driver":"overlay","CheckDuplicate":true,"IPAM":{"Driver":"default","Config":[]},"Options":{},"Labels":{}}""";
  private static final String WEB = """
      {"Name":"web","Labels":{"of":"rehearsal"},"TaskTemplate":{"ContainerSpec":{"Image":"rehearsal:1","Env":["A=b"],"Args":["serve"],
       "Labels":{"a":"b"},"Mounts":[{"Type":"volume","Source":"data","Target":"/data"}]},"Networks":[{"Target":"rehearsal"}],
       "Resources":{"Limits":{"MemoryBytes":67108864},"Reservations":{"MemoryBytes":4194304}},"Placement":{"Constraints":["node.role==manager"]},
       "ForceUpdate":0},"Mode":{"Replicated":{"Replicas":%d}},"EndpointSpec":{"Ports":[{"Protocol":"tcp","TargetPort":80,"PublishedPort":18080}]}}""";
  private static final String PLAIN = """
      {"Name":"plain","TaskTemplate":{"ContainerSpec":{"Image":"rehearsal:1"}},"Mode":{"Replicated":{"Replicas":%d}}}""";

  private final Path socket;

  private Rehearsal(Path socket) {
    this.socket = socket;
  }

  static void of(String name, Settings given, MachineLaunch.Start start) throws Exception {
    Path folder = Files.createTempDirectory("skep-rehearsal");
    try {
      SkepdConfig asked = SkepdConfig.from(given);
      Path socket = folder.resolve("docker.sock");
      Path engine = folder.resolve("engine.sock");
      SkepdConfig config = new SkepdConfig(
          folder.resolve("data"), folder.resolve("run"), "ffff", engine, List.of("unix://" + socket), asked.metrics(), true);
      try (RehearsalEngine _ = new RehearsalEngine(engine);
          BasicHost host = start.start(Settings.load(Optional.empty(), Map.of(), List.of()), config)) {
        if (name.equals("skepd")) {
          new Rehearsal(socket).play();
        }
        if (!host.ready()) {
          throw new IllegalStateException("the rehearsal of " + name + " did not become ready");
        }
      }
    } finally {
      delete(folder);
    }
  }

  /** An agent that changes nothing; there is no edge that it could wait for. */
  static AgentConfig harmless(AgentConfig agent) {
    return agent.withCommandPrefix(NO_COMMANDS).withEdges(0);
  }

  private void play() throws IOException, InterruptedException {
    call("GET", "/_ping", "");
    done("POST", "/swarm/init", INIT);
    done("POST", "/networks/create", NETWORK);
    done("POST", "/services/create", WEB.formatted(REPLICAS));
    done("POST", "/services/create", PLAIN.formatted(REPLICAS));
    await("all tasks run", () -> running() == 2 * REPLICAS);
    look();
    scale("web", WEB, 5);
    scale("plain", PLAIN, REPLICAS + 5);
    await("the services are scaled", () -> running() == REPLICAS + 10);
    look();
    done("DELETE", "/services/web", "");
    done("DELETE", "/services/plain", "");
    await("no task is left", () -> ask("GET", "/tasks").strip().endsWith("[]"));
    joining();
    await("the network can go", () -> ask("DELETE", "/networks/rehearsal").startsWith("HTTP/1.1 20"));
    done("POST", "/swarm/leave?force=1", "");
  }

  /** Both sides of a join: the network door, TLS and certificates are what costs most when they are used first. */
  private void joining() throws IOException {
    String token = call("GET", "/swarm", "").replaceFirst("(?s).*\"Worker\":\"([^\"]*)\".*", "$1");
    String manager = call("GET", "/nodes", "").replaceFirst("(?s).*\"Addr\":\"([^\"]*:[0-9]*)\".*", "$1");
    Joining joining = new Joining(Clock.systemUTC(), new SecureRandom());
    if (!(joining.join(manager, JoinToken.parse(token).orElseThrow(), "drain") instanceof Joining.Outcome.Joined)) {
      throw new IllegalStateException("the rehearsal's node did not join at " + manager);
    }
  }

  /** What the command line asks for its lists. */
  private void look() throws IOException {
    for (int n = 0; n < 5; n++) {
      done("GET", "/info", "");
      done("GET", "/version", "");
      done("GET", "/nodes", "");
      done("GET", "/networks", "");
      done("GET", "/networks/rehearsal", "");
      done("GET", "/services?status=true", "");
      done("GET", "/services/web", "");
      done("GET", "/tasks?filters=%7B%22service%22%3A%7B%22web%22%3Atrue%7D%7D", "");
    }
  }

  private void scale(String service, String spec, int replicas) throws IOException {
    String now = call("GET", "/services/" + service, "");
    String version = now.replaceFirst("(?s).*\"Index\":(\\d+).*", "$1");
    done("POST", "/services/" + service + "/update?version=" + version, spec.formatted(replicas));
  }

  private int running() {
    String asked = "%7B%22desired-state%22%3A%7B%22running%22%3Atrue%7D%7D";
    return ask("GET", "/tasks?filters=" + asked).split("\"State\":\"running\"", -1).length - 1;
  }

  private static void await(String what, BooleanSupplier reached) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!reached.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException("the rehearsal waits in vain: " + what);
      }
      Thread.sleep(Duration.ofMillis(50));
    }
  }

  private String ask(String method, String path) {
    try {
      return call(method, path, "");
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private void done(String method, String path, String body) throws IOException {
    String answer = call(method, path, body);
    if (!answer.startsWith("HTTP/1.1 20")) {
      throw new IllegalStateException("the rehearsal's " + method + " " + path + " brought " + answer);
    }
  }

  private String call(String method, String path, String body) throws IOException {
    return DockerSocket.whole(socket, method, path, body);
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
