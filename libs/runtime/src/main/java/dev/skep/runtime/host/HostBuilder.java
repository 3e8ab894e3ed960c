package dev.skep.runtime.host;

import dev.skep.backend.Access;
import dev.skep.backend.Store;
import dev.skep.runtime.Host;
import dev.skep.runtime.Component;
import dev.skep.runtime.election.ProcessLease;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.users.Administration;
import dev.skep.state.IdSource;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** What a host is made of. Everything but the data folder has a default. */
public final class HostBuilder {
  final String name;
  Path data;
  Path run;
  Clock clock = Clock.systemUTC();
  IdSource ids = new IdSource(new SecureRandom());
  Optional<InetSocketAddress> http = Optional.empty();
  Optional<BiConsumer<String, Throwable>> onFatal = Optional.empty();
  Access storeAccess = Access.PLAIN;
  Access logAccess = Access.PLAIN;
  Optional<Runnable> onRestart = Optional.empty();
  boolean heedSignals;
  Optional<Path> identity = Optional.empty();
  Optional<String> listen = Optional.empty();
  Optional<Map<String, List<String>>> peers = Optional.empty();
  UnaryOperator<InetSocketAddress> door = UnaryOperator.identity();
  Optional<String> peer = Optional.empty();
  Optional<String> log = Optional.empty();
  Optional<StoreAccess> access = Optional.empty();
  Optional<Consumer<StoreAccess>> storeTrial = Optional.empty();
  Optional<Administration> administration = Optional.empty();
  Optional<Store> shared = Optional.empty();
  Duration lease = ProcessLease.LIFE;
  final List<Component> components = new ArrayList<>();

  private HostBuilder(String name) {
    this.name = name;
  }

  /** @param name of the process, for logs */
  public static HostBuilder named(String name) {
    return new HostBuilder(name);
  }

  /** Where durable files go. */
  public HostBuilder data(Path folder) {
    data = folder;
    return this;
  }

  /** Where sockets and pid files go; {@code <data>/run} unless given. */
  public HostBuilder run(Path folder) {
    run = folder;
    return this;
  }

  public HostBuilder clock(Clock wallClock) {
    clock = wallClock;
    return this;
  }

  public HostBuilder ids(IdSource source) {
    ids = source;
    return this;
  }

  /**
   * The folder that says who this host is, which several processes share: membership, keys, roots. One of them writes it,
   * the others follow. Unless given, this process has its own below the data folder.
   */
  public HostBuilder identity(Path folder) {
    identity = Optional.of(folder.toAbsolutePath());
    return this;
  }

  /** Where the network door opens, in place of the membership's address: processes of one host cannot share a port. */
  public HostBuilder listen(String address) {
    listen = Optional.of(address);
    return this;
  }

  /**
   * Components that this host does not hold are in other processes: at these addresses, by component, or where the managers
   * are that the membership knows.
   */
  public HostBuilder peers(Map<String, List<String>> addresses) {
    peers = Optional.of(Map.copyOf(addresses));
    return this;
  }

  /** Where /metrics, /live and /ready answer: a loopback address, as what they tell is not for everybody. Nowhere unless given. */
  public HostBuilder http(InetSocketAddress address) {
    if (address.isUnresolved() || !address.getAddress().isLoopbackAddress()) {
      throw new IllegalArgumentException("metrics answer on a loopback address only, not on " + address);
    }
    return httpForAll(address);
  }

  /** The same on an address that others can reach: a container's own network. */
  public HostBuilder httpForAll(InetSocketAddress address) {
    http = Optional.of(address);
    return this;
  }

  /** As whom this process goes to a store on other machines. Plain unless given. */
  public HostBuilder storeAccess(Access access) {
    storeAccess = access;
    return this;
  }

  /** For a main: SIGTERM and SIGINT count from the start on, and not only once {@link BasicHost#awaitStop} waits for them. */
  public HostBuilder heedSignals() {
    heedSignals = true;
    return this;
  }

  /** For tests: what to do instead of ending the process. */
  public HostBuilder onFatal(BiConsumer<String, Throwable> hook) {
    onFatal = Optional.of(hook);
    return this;
  }

  /** For tests: what to do besides when the process wants to be started again. */
  public HostBuilder onRestart(Runnable hook) {
    onRestart = Optional.of(hook);
    return this;
  }

  /** For tests: where the network door listens in place of what is asked. */
  public HostBuilder door(UnaryOperator<InetSocketAddress> place) {
    door = place;
    return this;
  }

  /** For tests: what {@link Host#tryStore} does where the store that hosts share is none that an address names. */
  public HostBuilder storeTrial(Consumer<StoreAccess> trial) {
    storeTrial = Optional.of(trial);
    return this;
  }

  /** Where other managers reach the network door of this process; unless given, at the advertised address of this host. */
  public HostBuilder peer(String advertised) {
    peer = Optional.of(advertised);
    return this;
  }

  /** The event log of a store that processes share: {@code kafka://…}. Of an embedded store it is the store's own change table. */
  public HostBuilder log(String uri) {
    log = Optional.of(uri);
    return this;
  }

  /** What gets this process into its store and its log, for other managers' hosts; addresses alone unless given. */
  public HostBuilder access(StoreAccess whole) {
    access = Optional.of(whole);
    return this;
  }

  /** Who may make users of store and log, for a cluster that this process founds. */
  public HostBuilder administration(Administration administrator) {
    administration = Optional.of(administrator);
    return this;
  }

  /** As whom this process goes to the event log. */
  public HostBuilder logAccess(Access access) {
    logAccess = access;
    return this;
  }

  /** For tests: a store that several hosts share, in place of one that is named. Each host closes its own. */
  public HostBuilder shared(Store store) {
    shared = Optional.of(store);
    return this;
  }

  /** For tests: how long the lease of this process lasts. */
  public HostBuilder lease(Duration life) {
    lease = life;
    return this;
  }

  /** Components start in the order in which they are added. */
  public HostBuilder component(Component component) {
    components.add(component);
    return this;
  }

  /**
   * Starts a process that keeps state: {@code embedded:/folder}, {@code etcd://…}. One that others serve may be away: then
   * this waits for it. Throws when a component does not start.
   */
  public ProcessHost startProcess(String storeUri) throws Exception {
    ProcessHost host = ProcessHost.open(this, storeUri);
    host.startAll();
    return host;
  }

  /** Starts a process that is a node of the cluster and has no store. Throws when a component does not start. */
  public NodeHost startNode() throws Exception {
    NodeHost host = new NodeHost(this);
    host.startAll();
    return host;
  }

  /** Starts a process without a store. Throws when a component does not start. */
  public EdgeHost startEdge() throws Exception {
    EdgeHost host = new EdgeHost(this);
    host.startAll();
    return host;
  }
}
