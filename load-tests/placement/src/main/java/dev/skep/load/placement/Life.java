package dev.skep.load.placement;

import dev.skep.state.RowChange;
import dev.skep.testkit.etcd.EtcdServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/** One life of one form, in a process of its own: prints figures. */
final class Life {
  private static final int CALLERS = 4;
  private static final int MOST_OPEN = 4_000; // tasks asked for and not placed yet

  private final Options options;
  private final Manager manager;
  private final Servers servers;
  private final Figures figures = new Figures();

  private Life(Options options, Manager manager, Servers servers) {
    this.options = options;
    this.manager = manager;
    this.servers = servers;
  }

  /** {@code form=etcd|embedded phases=burst,rest,busy,hour …} */
  public static void main(String[] args) throws Exception {
    Options options = Options.of(args);
    Path folder = Files.createTempDirectory("skep-placement");
    int status = 0;
    try (Servers servers = Servers.start(options.text("form", "etcd"));
        Manager manager = new Manager(folder, servers.store(folder), servers.log(), Duration.ofSeconds(options.number("keep", 600)))) {
      manager.nodes(options.number("nodes", 50), !options.flag("mute"));
      new Life(options, manager, servers).run();
    } catch (Throwable e) {
      e.printStackTrace();
      status = 1;
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
      }
    }
    System.exit(status);
  }

  private void run() throws Exception {
    burst("warm", options.number("warm", 4_000), false);
    for (String phase : options.text("phases", "burst,rest,busy").split(",")) {
      switch (phase) {
        case "burst" -> burst("burst", options.number("tasks", 20_000), true);
        case "rest" -> rest();
        case "busy" -> new Background(manager, figures).measure(options.number("rate", 500), options.number("seconds", 20));
        case "hour" -> new Background(manager, figures).endure(options.number("rate", 500), options.number("seconds", 3_600), servers);
        default -> throw new IllegalArgumentException("there is no phase " + phase);
      }
    }
  }

  /** So many tasks at once, in services of 100: how fast they are placed, run and are in the log; then they are removed. */
  private void burst(String name, int tasks, boolean tell) throws Exception {
    int replicas = options.number("replicas", 100);
    int services = tasks / replicas;
    Meter meter = manager.meter;
    Map<String, Meter.Written> before = meter.written();
    long placed = meter.placed.get();
    long running = meter.running.get();
    long gone = meter.gone.get();
    long revisions = meter.revisions.get();
    double transactions = transactions();
    long logBytes = logBytes();
    double[] cpu = cpu();
    meter.record(tell && servers.etcd().isPresent());
    long began = System.nanoTime();
    create(name, services, replicas, placed);
    Meter.await("placements", meter.placed::get, placed + (long) services * replicas);
    List<List<RowChange>> recorded = meter.recorded();
    meter.record(false);
    double placing = (meter.lastPlacedAt - began) / 1e9;
    awaitLog();
    double logging = (System.nanoTime() - began) / 1e9;
    double[] used = cpu();
    if (!options.flag("mute")) {
      Meter.await("running tasks", meter.running::get, running + (long) services * replicas);
    }
    double up = (System.nanoTime() - began) / 1e9;
    if (tell) {
      figures.put(name + " placements/s", services * replicas / placing);
      figures.put(name + " in the log/s", services * replicas / logging);
      figures.put(name + " running/s", services * replicas / up);
      figures.put(name + " tasks a transaction", services * replicas / Math.max(1, transactions() - transactions));
      List<String> processes = List.of("control services and nodes", "etcd", "Kafka");
      for (int i = 0; i < processes.size(); i++) {
        figures.put(name + " CPU ms a placement, " + processes.get(i), 1e3 * (used[i] - cpu[i]) / (services * replicas));
      }
      loops(name);
    }
    for (int i = 0; i < services; i++) {
      manager.api.remove(name + i);
    }
    Meter.await("removed tasks", meter.gone::get, gone + (long) services * replicas);
    awaitLog();
    if (tell) {
      figures.put(name + " lives/s", services * replicas / ((System.nanoTime() - began) / 1e9));
      figures.put("life revisions", (meter.revisions.get() - revisions) / (double) (services * replicas));
      figures.put("life log bytes", (logBytes() - logBytes) / (double) (services * replicas));
      Thread.sleep(2_000); // the last rows of the last tasks
      rows(before, services * replicas);
    }
    if (recorded != null) {
      double floor = services * replicas / new Floor(recorded).seconds();
      figures.put(name + " floor: bare etcd placements/s", floor);
      figures.put(name + " share of the floor", services * replicas / placing / floor);
    }
  }

  private void rows(Map<String, Meter.Written> before, int tasks) {
    long rows = 0;
    long bytes = 0;
    for (var kind : manager.meter.written().entrySet()) {
      Meter.Written then = before.getOrDefault(kind.getKey(), new Meter.Written(0, 0));
      long moreRows = kind.getValue().rows() - then.rows();
      long moreBytes = kind.getValue().bytes() - then.bytes();
      rows += moreRows;
      bytes += moreBytes;
      if (moreRows * 20 > tasks) {
        figures.put("life rows " + kind.getKey(), moreRows / (double) tasks);
        figures.put("life bytes " + kind.getKey(), moreBytes / (double) tasks);
      }
    }
    figures.put("life rows", rows / (double) tasks);
    figures.put("life bytes", bytes / (double) tasks);
  }

  private void create(String name, int services, int replicas, long placedBefore) throws Exception {
    try (ExecutorService callers = Executors.newFixedThreadPool(CALLERS)) {
      List<Future<?>> calls = new ArrayList<>();
      for (int i = 0; i < services; i++) {
        int number = i;
        calls.add(callers.submit(() -> {
          Meter.await("room", manager.meter.placed::get, placedBefore + (long) (number + 1) * replicas - MOST_OPEN);
          manager.api.create(name + number, replicas);
          return null;
        }));
      }
      for (Future<?> call : calls) {
        call.get();
      }
    }
  }

  /** One create at a time, of one task, and nothing else. */
  private void rest() throws Exception {
    double[] millis = new double[options.number("creates", 300)];
    for (int i = 0; i < millis.length; i++) {
      millis[i] = manager.one("rest" + i);
      Thread.sleep(10);
    }
    figures.latency("rest ms", millis);
    for (int i = 0; i < millis.length; i++) {
      manager.api.remove("rest" + i);
    }
  }

  private void loops(String name) {
    for (String loop : List.of("orchestrator", "allocator", "scheduler")) {
      double decisions = manager.metric("skep_loop_decide_seconds_count", loop);
      double commits = manager.metric("skep_loop_commit_seconds_count", loop);
      figures.put(name + " " + loop + " decisions", decisions);
      figures.put(name + " " + loop + " ms a decision", 1e3 * manager.metric("skep_loop_decide_seconds_sum", loop) / decisions);
      figures.put(name + " " + loop + " commits", commits);
      figures.put(name + " " + loop + " ms a commit", 1e3 * manager.metric("skep_loop_commit_seconds_sum", loop) / commits);
      figures.put(name + " " + loop + " conflicts", manager.metric("skep_loop_conflicts_total", loop));
    }
  }

  private double transactions() throws InterruptedException {
    return servers.etcd().isPresent() ? servers.etcd().get().metric("etcd_server_proposals_applied_total") : manager.meter.revisions.get();
  }

  /** Seconds that this process, etcd and the broker have used of the cores. */
  private double[] cpu() throws InterruptedException {
    double mine = ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO).toNanos() / 1e9;
    double etcd = servers.etcd().isPresent() ? servers.etcd().get().metric("process_cpu_seconds_total") : 0;
    return new double[] {mine, etcd, servers.kafka().map(kafka -> kafka.cpu().toNanos() / 1e9).orElse(0.0)};
  }

  private long logBytes() {
    return servers.kafka().map(kafka -> kafka.bytes(Servers.TOPIC)).orElse(0L);
  }

  private void awaitLog() throws InterruptedException {
    if (servers.kafka().isPresent()) {
      long now = manager.host.view().state().revision();
      Meter.await("the log", () -> (long) manager.metric("skep_relay_revision"), now);
    }
  }

  static double megabytes(EtcdServer etcd, String name) throws InterruptedException {
    return etcd.metric(name) / (1 << 20);
  }
}
