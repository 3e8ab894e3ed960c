package dev.skep.runtime.host;

import dev.skep.runtime.Component;
import dev.skep.state.IdSource;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
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
  boolean heedSignals;
  UnaryOperator<InetSocketAddress> door = UnaryOperator.identity();
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

  /** Where /metrics, /live and /ready answer: a loopback address. Nowhere unless given. */
  public HostBuilder http(InetSocketAddress address) {
    http = Optional.of(address);
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

  /** For tests: where the network door listens in place of what is asked. */
  public HostBuilder door(UnaryOperator<InetSocketAddress> place) {
    door = place;
    return this;
  }

  /** Components start in the order in which they are added. */
  public HostBuilder component(Component component) {
    components.add(component);
    return this;
  }

  /** Starts a process that keeps state: {@code embedded:/folder}. Throws when a component does not start. */
  public ProcessHost startProcess(String storeUri) throws Exception {
    ProcessHost host = ProcessHost.open(this, storeUri);
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
