package dev.skep.testkit.kafka;

import dev.skep.testkit.net.Ports;
import dev.skep.testkit.net.Site;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A Kafka broker on loopback, in a process of its own that can be stopped, killed, frozen and started again on the same
 * ports and data. Closing ends it and deletes its folder.
 */
public final class KafkaServer implements AutoCloseable {
  static final String CONTROLLER = "CONTROLLER";
  /** A start takes 3 to 6 s of a processor of its own. */
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  /** What the virtual machine takes to write down where its threads are. */
  private static final Duration LAST_WORDS = Duration.ofSeconds(2);

  private final Site site;
  private final Path folder;
  private final int port;
  private final int internalPort;
  private final List<String> users;
  private Process process;

  private KafkaServer(Site site, Path folder, int port, int internalPort, List<String> users) {
    this.site = site;
    this.folder = folder;
    this.port = port;
    this.internalPort = internalPort;
    this.users = users;
  }

  /** A broker without encryption and users. */
  public static KafkaServer start() {
    return start(Map.of(), List.of());
  }

  /**
   * @param settings of the broker, over those that a small one for tests has. Clients talk to the listener CLIENT.
   * @param users as {@code SCRAM-SHA-512=[name=…,password=…]}
   */
  public static KafkaServer start(Map<String, String> settings, List<String> users) {
    return start(Site.LOOPBACK, settings, users);
  }

  /** A broker without encryption and users, on the loopback of a network namespace. */
  public static KafkaServer startIn(String namespace) {
    Site there = new Site(Site.LOOPBACK.address(), List.of("nsenter", "--net=/var/run/netns/" + namespace), Optional.empty());
    return start(there, Map.of(), List.of());
  }

  /** The same somewhere else. */
  public static KafkaServer start(Site site, Map<String, String> settings, List<String> users) {
    try {
      Path folder = site.newFolder("skep-kafka");
      List<Integer> ports = Ports.free(3);
      Properties all = new Properties();
      all.putAll(defaults(site.address(), folder, ports));
      all.putAll(settings);
      try (var out = Files.newBufferedWriter(folder.resolve("server.properties"))) {
        all.store(out, null);
      }
      KafkaServer server = new KafkaServer(site, folder, ports.getFirst(), ports.get(2), users);
      try {
        server.start0();
      } catch (RuntimeException | Error e) {
        server.close();
        throw e;
      }
      return server;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Map<String, String> defaults(String host, Path folder, List<Integer> ports) {
    Map<String, String> settings = new HashMap<>();
    settings.put("process.roles", "broker,controller");
    settings.put("node.id", "1");
    settings.put("controller.quorum.voters", "1@" + host + ":" + ports.get(1));
    settings.put("listeners", "CLIENT://" + host + ":" + ports.get(0) + ",INTERNAL://" + host + ":" + ports.get(2) + "," + CONTROLLER + "://" + host
        + ":" + ports.get(1));
    settings.put("advertised.listeners", "CLIENT://" + host + ":" + ports.get(0) + ",INTERNAL://" + host + ":" + ports.get(2));
    settings.put("listener.security.protocol.map", "CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT");
    settings.put("inter.broker.listener.name", "INTERNAL");
    settings.put("controller.listener.names", CONTROLLER);
    settings.put("log.dirs", folder.resolve("data").toString());
    for (String topic : List.of("offsets.topic.", "transaction.state.log.", "share.coordinator.state.topic.")) {
      settings.put(topic + "replication.factor", "1");
      settings.put(topic + "num.partitions", "1");
    }
    settings.put("transaction.state.log.min.isr", "1");
    settings.put("share.coordinator.state.topic.min.isr", "1");
    settings.put("auto.create.topics.enable", "false");
    settings.put("num.network.threads", "1");
    settings.put("num.io.threads", "2");
    settings.put("background.threads", "2");
    settings.put("log.cleaner.dedupe.buffer.size", Integer.toString(2 << 20));
    settings.put("add.partitions.to.txn.retry.backoff.ms", "1"); // else a transaction begins only after 20 ms
    settings.put("add.partitions.to.txn.retry.backoff.max.ms", "5");
    settings.put("transaction.abort.timed.out.transaction.cleanup.interval.ms", "500");
    settings.put("broker.session.timeout.ms", "1000"); // how long a killed one waits for its own ghost
    settings.put("broker.heartbeat.interval.ms", "200");
    settings.put("group.initial.rebalance.delay.ms", "0");
    return settings;
  }

  /** {@code host:port} for clients. */
  public String address() {
    return site.address() + ":" + port;
  }

  /** {@code host:port} of the listener INTERNAL: for brokers among themselves, and for administrators. */
  public String internalAddress() {
    return site.address() + ":" + internalPort;
  }

  /** The log at a topic of this broker, as a URI. */
  public String uri(String topic) {
    return "kafka://" + address() + "?topic=" + topic;
  }

  /** What the broker's process has used of the cores so far. */
  public Duration cpu() {
    return process.toHandle().info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /** What the topic's one partition takes on disk, without its indexes; 0 before the topic is there. */
  public long bytes(String topic) {
    try (Stream<Path> files = Files.list(folder.resolve("data").resolve(topic + "-0"))) {
      return files.filter(file -> file.toString().endsWith(".log")).mapToLong(file -> file.toFile().length()).sum();
    } catch (NoSuchFileException e) {
      return 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts it again after {@link #stop} or {@link #kill}, with its data; returns when it serves. */
  public void restart() {
    try {
      start0();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void start0() throws IOException {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(),
        "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-Xmx256m", "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), Broker.class.getName(), folder.resolve("server.properties").toString()));
    command.addAll(users);
    process = new ProcessBuilder(site.command(command)).redirectError(ProcessBuilder.Redirect.appendTo(folder.resolve("broker.log").toFile())).start();
    awaitReady(process, PATIENCE, folder.resolve("broker.log"));
  }

  /** Returns when the process says that it serves. One that does not is asked where its threads are, and ended. */
  static void awaitReady(Process process, Duration patience, Path log) throws IOException {
    Executor late = CompletableFuture.delayedExecutor(patience.toNanos(), TimeUnit.NANOSECONDS);
    Executor later = CompletableFuture.delayedExecutor(patience.plus(LAST_WORDS).toNanos(), TimeUnit.NANOSECONDS);
    List<CompletableFuture<Void>> ends = List.of(CompletableFuture.runAsync(() -> signal(process, "QUIT"), late),
        CompletableFuture.runAsync(process::destroyForcibly, later));
    StringBuilder said = new StringBuilder();
    try {
      BufferedReader output = process.inputReader();
      for (String line = output.readLine(); !Broker.READY.equals(line); line = output.readLine()) {
        if (line == null) {
          throw new AssertionError("the broker ended, or did not start within " + patience.toSeconds() + " s: " + said + Files.readString(log));
        }
        said.append(line).append('\n');
      }
    } finally {
      ends.forEach(end -> end.cancel(false));
    }
  }

  /** Whether its process is there. */
  public boolean runs() {
    return process.isAlive();
  }

  /** Ends it in order. */
  public void stop() {
    process.destroy();
    await();
  }

  /** kill -9. */
  public void kill() {
    process.destroyForcibly();
    await();
  }

  /** SIGSTOP: it keeps its connections and answers nothing. */
  public void freeze() {
    signal(process, "STOP");
  }

  public void thaw() {
    signal(process, "CONT");
  }

  private static void signal(Process process, String name) {
    try {
      int status = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).inheritIO().start().waitFor();
      if (status != 0) {
        throw new AssertionError("kill -" + name + " ended with " + status);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private void await() {
    try {
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private static AssertionError interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new AssertionError("interrupted", e);
  }

  @Override
  public void close() {
    if (process != null) {
      kill();
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
