package dev.skep.skepd;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Message;
import dev.skep.api.v1.EndpointSpec;
import dev.skep.backend.Store;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Transaction;
import dev.skep.backend.StoreException;
import dev.skep.backend.etcd.EtcdConfig;
import dev.skep.backend.etcd.EtcdStore;
import dev.skep.relay.shell.ReplayMain;
import dev.skep.runtime.View;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.host.ProcessHost;
import dev.skep.scheduler.Scheduler;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.testkit.ForwardingStore;
import dev.skep.testkit.etcd.EtcdServer;
import dev.skep.testkit.gen.Specs;
import dev.skep.testkit.gen.StateBuilder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A cluster on a real etcd and a Kafka topic, of which only the scheduler and the relay run, each in a process of its own. */
final class LogPair implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration LOOK = Duration.ofMillis(20);
  private static final double LONGER_THAN_A_LATE_ONE = 1; // seconds; a log counts as on time until it has been late for 0.15 s
  private static final String NODE = "w1";
  private static final int TASKS = 3;

  /** The store as the scheduler has it: its watch is counted, and refused when the test says so. */
  private static final class Watched extends ForwardingStore {
    private final AtomicInteger open = new AtomicInteger();
    private volatile boolean refused;

    private Watched(Store store) {
      super(store);
    }

    @Override
    public Watch watch(String prefix, long fromRevision, Watcher watcher) {
      if (refused) {
        throw new StoreException("no watch of the store now");
      }
      Watch watch = super.watch(prefix, fromRevision, watcher);
      open.incrementAndGet();
      return () -> {
        watch.close();
        open.decrementAndGet();
      };
    }
  }

  private final Path folder;
  private final EtcdServer etcd;
  private final String log;
  private final EtcdStore direct;
  private final Watched watched;
  private final StateBuilder node = new StateBuilder();
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private ProcessHost scheduler;
  private Process relay;
  private int services;

  LogPair(Path folder, String log) throws Exception {
    this.folder = folder;
    this.log = log;
    this.etcd = EtcdServer.start();
    this.direct = open();
    AdminMain.init(settings("init", "--advertise-addr=127.0.0.1"));
    Specs.node(node, NODE);
    put(List.of(copy(node, Rows.NODE_SPEC.key(NODE)), copy(node, Rows.NODE_STATUS.key(NODE))));
    this.watched = new Watched(open());
  }

  private EtcdStore open() {
    return EtcdStore.open(EtcdConfig.of(List.of(etcd.endpoint())), (name, body) -> Thread.ofPlatform().daemon().name(name).start(body));
  }

  private List<String> flags(String process, String... more) {
    List<String> flags = new ArrayList<>(List.of("--data=" + folder.resolve(process), "--run=" + folder.resolve(process), "--identity=" + identity(),
        "--store=etcd://" + etcd.endpoint(), "--listen=127.0.0.1:0"));
    flags.addAll(List.of(more));
    return flags;
  }

  private Settings settings(String process, String... more) {
    return Settings.load(Optional.empty(), Map.of(), flags(process, more));
  }

  private Path identity() {
    return folder.resolve("identity");
  }

  void startScheduler() throws Exception {
    scheduler = HostBuilder.named("scheduler").data(folder.resolve("scheduler")).identity(identity()).listen("127.0.0.1:0").peers(Map.of()).log(log)
        .shared(watched).component(new Scheduler()).onFatal((what, cause) -> failures.add(new AssertionError(what, cause)))
        .startProcess("etcd://" + etcd.endpoint());
  }

  void startRelay() throws IOException {
    relay = java(dev.skep.relay.Main.class, flags("relay", "--log=" + log)).redirectErrorStream(true)
        .redirectOutput(folder.resolve("relay.log").toFile()).start();
  }

  private static ProcessBuilder java(Class<?> main, List<String> args) {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(), "--enable-native-access=ALL-UNNAMED",
        "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(args);
    return new ProcessBuilder(command);
  }

  /** SIGSTOP, until the row that says who relays has run out. */
  void freezeRelay() throws Exception {
    signal("-STOP");
    until("nobody relays", () -> direct.get(Rows.LEADER.key("relay").path()).isEmpty());
  }

  void thawRelay() throws Exception {
    signal("-CONT");
  }

  private void signal(String which) throws Exception {
    assertThat(new ProcessBuilder("kill", which, Long.toString(relay.pid())).inheritIO().start().waitFor()).isZero();
  }

  /** The store's watch is refused from now on: whatever is seen comes through the log. */
  void withoutWatch() {
    watched.refused = true;
  }

  /**
   * What is to be decided comes through the log alone: the store's watch is closed, and is not opened again. It closes by
   * itself when the log has been on time for a while; nothing is written meanwhile that could be late.
   */
  void placedByTheLogAlone() {
    double before = seconds("log");
    placed(); // by whichever source has it first
    until("the view follows the log", () -> watched.open.get() == 0 && seconds("log") > before + LONGER_THAN_A_LATE_ONE);
    watched.refused = true;
    placed();
    watched.refused = false;
  }

  /** One more service whose tasks wait for a node, and get one. */
  void placed() {
    String service = "s" + ++services;
    StateBuilder rows = new StateBuilder();
    Specs.service(rows, service, Specs.replicated(TASKS), Specs.task("image:1"), EndpointSpec.getDefaultInstance());
    List<Operation> puts = new ArrayList<>(List.of(copy(rows, Rows.template(service, 1)), copy(rows, Rows.SERVICE.key(service))));
    for (int slot = 1; slot <= TASKS; slot++) {
      String id = service + "." + slot;
      puts.add(row(Rows.INTENT.key(id), TaskIntentRow.newBuilder().setId(id).setServiceId(service).setTemplate(1).setSlot(slot)
          .setDesired(TaskState.TASK_RUNNING).build()));
      puts.add(row(Rows.ADDRESS.key(id), TaskAddressRow.newBuilder().setTaskId(id).build()));
    }
    put(puts);
    for (int slot = 1; slot <= TASKS; slot++) {
      Key<PlacementRow> placement = Rows.PLACEMENT.key(service + "." + slot);
      until(placement + " is there", () -> direct.get(placement.path()).isPresent());
    }
  }

  private static <T extends Message> Operation copy(StateBuilder from, Key<T> key) {
    return row(key, from.state().value(key));
  }

  private static <T extends Message> Operation row(Key<T> key, T value) {
    return new Operation.Put(key.path(), value.toByteArray());
  }

  private long put(List<Operation> rows) {
    return ((Store.Outcome.Committed) direct.commit(new Transaction(List.of(), rows))).revision();
  }

  /** Bounded: a view that does not move fails here. */
  private static void until(String what, BooleanSupplier holds) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!holds.getAsBoolean()) {
      assertThat(System.nanoTime() - end).as(what + ", within " + PATIENCE.toSeconds() + " s").isNegative();
      LockSupport.parkNanos(LOOK.toNanos());
    }
  }

  /** Where the cluster is now. */
  long revision() {
    return direct.revision();
  }

  /** The scheduler's view. */
  View view() {
    return scheduler.view();
  }

  /** How long the scheduler's view lived from this source. */
  double seconds(String source) {
    return scheduler.metrics().registry().getSampleValue("skep_view_source_seconds_total", new String[] {"source"}, new String[] {source});
  }

  /** The command, as a user runs it beside the cluster, once the log has what the store has now. */
  String replayed() throws Exception {
    Process replay = java(ReplayMain.class, List.of("--store=etcd://" + etcd.endpoint(), "--log=" + log, "--whole")).redirectErrorStream(true).start();
    String said = new String(replay.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(replay.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    assertThat(replay.exitValue()).as(said).isZero();
    return said;
  }

  @Override
  public void close() throws IOException {
    if (relay != null) {
      relay.destroyForcibly().onExit().join();
    }
    if (scheduler != null) {
      scheduler.close();
    }
    direct.close();
    etcd.close();
    assertThat(failures).isEmpty();
  }
}
