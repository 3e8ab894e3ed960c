package dev.skep.skepd.faults;

import dev.skep.api.v1.InitRequest;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.shell.Founding;
import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.host.ProcessHost;
import dev.skep.skepd.PretendedNode;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import dev.skep.testkit.etcd.EtcdCluster;
import dev.skep.testkit.etcd.EtcdServer;
import dev.skep.testkit.kafka.KafkaServer;
import dev.skep.testkit.net.Site;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** A whole cluster of real parts: three etcd, a Kafka broker, two processes of every control service, three agents. */
final class Plant {
  static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final int NODES = 3;
  private static final int COPIES = 2;
  private static final List<String> EACH = List.of("relay", "orchestrator", "allocator", "scheduler", "dispatcher", "control-api");
  private static final List<String> FEW = List.of("relay", ServiceMain.DECIDERS, "dispatcher", "control-api");
  private static final String SMALL_QUOTA = "--quota-backend-bytes=" + (16 << 20);

  final Path base;
  private final List<String> kinds;
  final Wires wires = new Wires();
  final EtcdCluster etcd;
  final KafkaServer kafka;
  final List<Part> members = new ArrayList<>();
  private final List<Disk> disks = new ArrayList<>(); // of the members, then the broker's
  final Part broker;
  final List<Replica> replicas = new ArrayList<>();
  final Ledger ledger = new Ledger();
  final History history = new History();
  final ProcessHost observer;
  private final List<PretendedNode> nodes = new ArrayList<>();

  /**
   * @param each every service in a process of its own; else those that decide share one, which starts sooner
   * @param small etcd has a quota that can be filled
   */
  Plant(Path base, boolean each, boolean small) throws Exception {
    this.base = base;
    this.kinds = each ? EACH : FEW;
    Disk brokers = new Disk(base.resolve("disk-kafka"));
    Site kafkaSite = wires.host("kafka", Optional.of(brokers.folder()));
    CompletableFuture<KafkaServer> starting = CompletableFuture.supplyAsync(() -> KafkaServer.start(kafkaSite, Map.of(), List.of()));
    List<Site> sites = new ArrayList<>();
    for (String member : List.of("m0", "m1", "m2")) {
      disks.add(new Disk(base.resolve("disk-" + member)));
      sites.add(wires.host(member, Optional.of(disks.getLast().folder())));
    }
    disks.add(brokers);
    etcd = small ? EtcdCluster.start(sites, SMALL_QUOTA) : EtcdCluster.start(sites);
    for (int i = 0; i < sites.size(); i++) {
      members.add(Part.etcd("m" + i, etcd.servers().get(i), wires));
    }
    Path identity = base.resolve("identity");
    found(identity);
    kafka = starting.join();
    broker = Part.kafka("kafka", kafka, wires);
    replicas(identity);
    observer = HostBuilder.named("observer").data(base.resolve("observer")).onFatal(Plant::fatal).startProcess(etcd.uri());
    observer.store().watch("", 1, history);
    awaitHealthy();
    agents(identity);
  }

  private static void fatal(String what, Throwable cause) {
    cause.printStackTrace();
    throw new AssertionError(what, cause);
  }

  private static boolean ready(Replica replica) {
    try {
      return replica.ready();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void found(Path identity) throws Exception {
    InitRequest request = InitRequest.newBuilder().setAdvertiseAddr(Wires.HERE).setListenAddr(Wires.HERE + ":" + Replica.PORT).build();
    try (ProcessHost host = HostBuilder.named("init").data(base.resolve("init")).identity(identity).startProcess(etcd.uri())) {
      if (Founding.init(host, request, false) instanceof Answer.Refused<String>(var error)) {
        throw new AssertionError(error.message());
      }
    }
  }

  private void replicas(Path identity) throws Exception {
    List<Site> sites = new ArrayList<>();
    for (String kind : kinds) {
      for (int copy = 1; copy <= COPIES; copy++) {
        sites.add(wires.host(kind.replace("control-api", "api").replace("orchestrator", "orch") + copy, Optional.empty()));
      }
    }
    Path engine = base.resolve("engine.sock");
    PretendedNode.engine(engine);
    for (int i = 0; i < sites.size(); i++) {
      String kind = kinds.get(i / COPIES);
      List<String> settings = new ArrayList<>(List.of("--identity=" + identity, "--store=" + etcd.uri(), "--log=kafka://" + kafka.address(),
          "--peers.dispatcher=" + addresses(sites, "dispatcher"), "--peers.control-api=" + addresses(sites, "control-api")));
      if (kind.equals("control-api")) {
        settings.add("--engine=unix://" + engine);
      }
      String name = kind.replace("control-api", "api").replace("orchestrator", "orch") + (1 + i % COPIES);
      Replica replica = new Replica(name, kind, sites.get(i), wires, base, settings);
      replicas.add(replica);
      replica.begin();
    }
  }

  private String addresses(List<Site> sites, String kind) {
    int first = kinds.indexOf(kind) * COPIES;
    return String.join(",", sites.subList(first, first + COPIES).stream().map(site -> site.address() + ":" + Replica.PORT).toList());
  }

  private void agents(Path identity) throws Exception {
    List<String> dispatchers = of("dispatcher").stream().map(Replica::address).toList();
    Map<String, List<String>> peers = Map.of("dispatcher", dispatchers, "control-api", of("control-api").stream().map(Replica::address).toList());
    AtomicReference<Api.Answer> swarm = new AtomicReference<>();
    await(() -> "the cluster's tokens; it said " + swarm.get(), () -> {
      swarm.set(apis(PATIENCE).getFirst().call("GET", "/swarm", ""));
      return swarm.get().done();
    });
    String token = swarm.get().body().replaceFirst("(?s).*\"Worker\":\"([^\"]*)\".*", "$1");
    for (int i = 0; i < NODES; i++) {
      String name = "n" + i;
      Path folder = base.resolve(name);
      Path own = i == 0 ? identity : folder.resolve("identity");
      if (i > 0) {
        PretendedNode.join(folder, own, token, Wires.HERE, dispatchers);
      }
      nodes.add(PretendedNode.start(folder, own, peers, (task, action) -> ledger.seen(name, task, action), Plant::fatal));
    }
  }

  List<Replica> of(String kind) {
    return replicas.stream().filter(replica -> replica.kind().equals(kind)).toList();
  }

  List<Api> apis(Duration patience) {
    return of("control-api").stream().map(replica -> new Api(replica.run().resolve("docker.sock"), patience)).toList();
  }

  /** Who holds the loop. */
  Replica holder(String loop) {
    AtomicReference<Replica> holder = new AtomicReference<>();
    await("a holder of " + loop, () -> {
      LeaderRow row = observer.view().state().value(Rows.LEADER.key(loop));
      replicas.stream().filter(replica -> row != null && replica.address().equals(row.getAddress())).findFirst().ifPresent(holder::set);
      return holder.get() != null;
    });
    return holder.get();
  }

  /** The member of etcd that leads. */
  Part leader() throws InterruptedException {
    return members.get(etcd.servers().indexOf(etcd.leader()));
  }

  Part follower() throws InterruptedException {
    return members.get((members.indexOf(leader()) + 1) % members.size());
  }

  Disk disk(Part part) {
    return disks.get(part == broker ? members.size() : members.indexOf(part));
  }

  /** Whether the process of a member of etcd, or of Kafka, is there. */
  boolean runs(Part part) {
    return part == broker ? kafka.runs() : etcd.servers().get(members.indexOf(part)).runs();
  }

  /** Waits until all servers and services say that they are well. One that has ended by itself is a failure. */
  void awaitHealthy() throws InterruptedException {
    for (EtcdServer member : etcd.servers()) {
      member.awaitHealthy();
    }
    await("all control services are ready", () -> replicas.stream().allMatch(Plant::ready));
  }

  /** Up to which revision the log holds everything. */
  long relayed() {
    try {
      return (long) holder("relay").metric("skep_relay_revision");
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  static void await(String what, BooleanSupplier wanted) {
    await(() -> what, wanted);
  }

  static void await(Supplier<String> what, BooleanSupplier wanted) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!wanted.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("not seen: " + what.get());
      }
      LockSupport.parkNanos(10_000_000);
    }
  }
}
