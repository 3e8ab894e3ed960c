import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.URLEncoder;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Times the life of a service of N replicas through the Docker Engine API of swarm mode and of Skep, and beside them the
 * floor: the same containers created, started and removed over the bare engine API (on a bridge network of the engine when the
 * services are on an overlay). One client, one run, interleaved.
 *
 * <p>Arguments: rounds, parallelism of the floor, replicas (comma separated), the overlay network that tasks join (or
 * "none"), then name=engine-socket=api-socket per system (for the floor the API is the engine's).
 */
final class ReplicaBench {
  record System(String name, String engine, String api) {}

  /** A very small HTTP client over a unix socket, one connection per call: the same for everyone. */
  static String call(String socket, String method, String path, String body) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      byte[] payload = body == null ? new byte[0] : body.getBytes(StandardCharsets.UTF_8);
      String head = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " + payload.length + "\r\n\r\n";
      channel.write(ByteBuffer.wrap(head.getBytes(StandardCharsets.UTF_8)));
      if (payload.length > 0) {
        channel.write(ByteBuffer.wrap(payload));
      }
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      ByteBuffer buffer = ByteBuffer.allocate(65536);
      while (channel.read(buffer) >= 0) {
        all.write(buffer.array(), 0, buffer.position());
        buffer.clear();
      }
      String answer = all.toString(StandardCharsets.UTF_8);
      int status = Integer.parseInt(answer.substring(9, 12));
      int split = answer.indexOf("\r\n\r\n");
      String text = answer.substring(split + 4);
      if (answer.substring(0, split).toLowerCase(Locale.ROOT).contains("transfer-encoding: chunked")) {
        text = unchunked(text);
      }
      if (status >= 400) {
        throw new IOException(method + " " + path + ": " + status + " " + text);
      }
      return text;
    }
  }

  private static String unchunked(String text) {
    StringBuilder out = new StringBuilder();
    int at = 0;
    while (true) {
      int end = text.indexOf("\r\n", at);
      int size = Integer.parseInt(text.substring(at, end).strip(), 16);
      if (size == 0) {
        return out.toString();
      }
      // sizes are in bytes; bodies here are ASCII
      out.append(text, end + 2, end + 2 + size);
      at = end + 2 + size + 2;
    }
  }

  static String filters(String json) {
    return "?filters=" + URLEncoder.encode(json, StandardCharsets.UTF_8);
  }

  static String network = "none";

  static String spec(String name, int replicas) {
    String networks = network.equals("none") ? "" : ",\"Networks\":[{\"Target\":\"" + network + "\"}]";
    return "{\"Name\":\"" + name + "\",\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"bench:1\",\"StopSignal\":\"SIGKILL\"},\"RestartPolicy\":{\"Condition\":\"any\",\"Delay\":0}" + networks + "},"
        + "\"Mode\":{\"Replicated\":{\"Replicas\":" + replicas + "}}}";
  }

  static int running(System system, String service) throws IOException {
    String tasks = call(system.api, "GET", "/v1.41/tasks" + filters("{\"service\":[\"" + service + "\"],\"desired-state\":[\"running\"]}"), null);
    int count = 0;
    Matcher matcher = Pattern.compile("\"Status\":\\{\"Timestamp\":\"[^\"]*\",\"State\":\"running\"").matcher(tasks);
    while (matcher.find()) {
      count++;
    }
    return count;
  }

  static List<String> containers(String engine, String label) throws IOException {
    String list = call(engine, "GET", "/v1.41/containers/json?all=1&filters=" + URLEncoder.encode("{\"label\":[\"" + label + "\"]}", StandardCharsets.UTF_8), null);
    List<String> ids = new ArrayList<>();
    Matcher matcher = Pattern.compile("\"Id\":\"([0-9a-f]{64})\"").matcher(list);
    while (matcher.find()) {
      ids.add(matcher.group(1));
    }
    return ids;
  }

  interface Check {
    boolean holds() throws IOException;
  }

  static double until(Check check) throws Exception {
    long began = java.lang.System.nanoTime();
    while (!check.holds()) {
      if (java.lang.System.nanoTime() - began > 180e9) {
        throw new IOException("not within 180 s");
      }
      Thread.sleep(20);
    }
    return (java.lang.System.nanoTime() - began) / 1e9;
  }

  static void service(System system, int replicas, Map<String, List<Double>> times) throws Exception {
    String name = "bench" + replicas;
    String label = "com.docker.swarm.service.name=" + name;
    long began = java.lang.System.nanoTime();
    call(system.api, "POST", "/v1.41/services/create", spec(name, replicas));
    until(() -> running(system, name) == replicas);
    add(times, "create " + replicas, system, (java.lang.System.nanoTime() - began) / 1e9);

    String victim = containers(system.engine, label).getFirst();
    began = java.lang.System.nanoTime();
    call(system.engine, "POST", "/v1.41/containers/" + victim + "/kill", null);
    until(() -> running(system, name) < replicas || !containers(system.engine, label + "\",\"com.docker.swarm.task").contains(victim));
    until(() -> running(system, name) == replicas);
    add(times, "recover one of " + replicas, system, (java.lang.System.nanoTime() - began) / 1e9);

    String service = call(system.api, "GET", "/v1.41/services/" + name, null);
    Matcher version = Pattern.compile("\"Version\":\\{\"Index\":(\\d+)\\}").matcher(service);
    version.find();
    began = java.lang.System.nanoTime();
    call(system.api, "POST", "/v1.41/services/" + name + "/update?version=" + version.group(1), spec(name, 2 * replicas));
    until(() -> running(system, name) == 2 * replicas);
    add(times, "scale " + replicas + " to " + 2 * replicas, system, (java.lang.System.nanoTime() - began) / 1e9);

    began = java.lang.System.nanoTime();
    call(system.api, "DELETE", "/v1.41/services/" + name, null);
    until(() -> containers(system.engine, label).isEmpty());
    add(times, "remove " + 2 * replicas, system, (java.lang.System.nanoTime() - began) / 1e9);
  }

  static void floor(System system, int replicas, int parallel, Map<String, List<Double>> times) throws Exception {
    add(times, "create " + replicas, system, start(system, 0, replicas, parallel));
    add(times, "scale " + replicas + " to " + 2 * replicas, system, start(system, replicas, replicas, parallel));
    List<Callable<Void>> removals = new ArrayList<>();
    for (int i = 0; i < 2 * replicas; i++) {
      String name = "floor" + i;
      removals.add(() -> {
        call(system.engine, "DELETE", "/v1.41/containers/" + name + "?force=1&v=1", null);
        return null;
      });
    }
    add(times, "remove " + 2 * replicas, system, all(removals, parallel));
    // what nobody can save of a recovery: the end of the old container, and a new one
    start(system, replicas, 1, 1);
    long began = java.lang.System.nanoTime();
    call(system.engine, "POST", "/v1.41/containers/floor" + replicas + "/kill", null);
    call(system.engine, "POST", "/v1.41/containers/floor" + replicas + "/wait", null);
    start(system, 0, 1, 1);
    add(times, "recover one of " + replicas, system, (java.lang.System.nanoTime() - began) / 1e9);
    call(system.engine, "DELETE", "/v1.41/containers/floor" + replicas + "?force=1", null);
    call(system.engine, "DELETE", "/v1.41/containers/floor0?force=1", null);
  }

  private static double start(System system, int from, int count, int parallel) throws Exception {
    List<Callable<Void>> jobs = new ArrayList<>();
    for (int i = from; i < from + count; i++) {
      String name = "floor" + i;
      jobs.add(() -> {
        call(system.engine, "POST", "/v1.41/containers/create?name=" + name, "{\"Image\":\"bench:1\"" + (network.equals("none") ? "" : ",\"HostConfig\":{\"NetworkMode\":\"floor\"}") + "}");
        call(system.engine, "POST", "/v1.41/containers/" + name + "/start", null);
        return null;
      });
    }
    return all(jobs, parallel);
  }

  private static double all(List<Callable<Void>> jobs, int parallel) throws Exception {
    Semaphore places = new Semaphore(parallel);
    long began = java.lang.System.nanoTime();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (var done : threads.invokeAll(jobs.stream().map(job -> (Callable<Void>) () -> {
        places.acquire();
        try {
          return job.call();
        } finally {
          places.release();
        }
      }).toList())) {
        done.get();
      }
    }
    return (java.lang.System.nanoTime() - began) / 1e9;
  }

  private static void add(Map<String, List<Double>> times, String what, System system, double seconds) {
    times.computeIfAbsent(what + "|" + system.name, key -> new ArrayList<>()).add(seconds);
    java.lang.System.err.printf(Locale.ROOT, "%-24s %-8s %6.2f s%n", what, system.name, seconds);
  }

  static double median(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }

  public static void main(String[] args) throws Exception {
    int rounds = Integer.parseInt(args[0]);
    int parallel = Integer.parseInt(args[1]);
    int[] sizes = Arrays.stream(args[2].split(",")).mapToInt(Integer::parseInt).toArray();
    network = args[3];
    List<System> systems = new ArrayList<>();
    for (String arg : Arrays.asList(args).subList(4, args.length)) {
      String[] parts = arg.split("=");
      systems.add(new System(parts[0], parts[1], parts[2]));
    }
    for (int size : sizes) {
      Map<String, List<Double>> times = new TreeMap<>();
      for (int round = 0; round < rounds; round++) {
        // every other round the other way round, so that drift hits all alike
        for (System system : round % 2 == 0 ? systems : systems.reversed()) {
          if (system.name.equals("floor")) {
            floor(system, size, parallel, times);
          } else {
            service(system, size, times);
          }
        }
      }
      java.lang.System.out.println("| what | floor | swarm | skep | skep : floor | skep : swarm |\n|---|---|---|---|---|---|");
      for (String what : List.of("create " + size, "recover one of " + size, "scale " + size + " to " + 2 * size, "remove " + 2 * size)) {
        double floor = median(times.get(what + "|floor"));
        double swarm = median(times.get(what + "|swarm"));
        double skep = median(times.get(what + "|skep"));
        java.lang.System.out.printf(Locale.ROOT, "| %s | %.2f s | %.2f s | %.2f s | %.2f | %.2f |%n", what, floor, swarm, skep, skep / floor, skep / swarm);
      }
    }
  }
}
