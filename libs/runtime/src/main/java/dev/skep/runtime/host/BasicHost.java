package dev.skep.runtime.host;

import dev.skep.runtime.Component;
import dev.skep.runtime.Host;
import dev.skep.runtime.Metrics;
import dev.skep.runtime.grpc.LocalServices;
import dev.skep.runtime.http.Endpoint;
import dev.skep.state.IdSource;
import io.grpc.BindableService;
import io.grpc.Channel;
import io.prometheus.client.CollectorRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What hosts have in common: components in order, threads, services, folders, the end. */
public abstract sealed class BasicHost implements Host, AutoCloseable permits ProcessHost, StorelessHost {
  /** The exit code of a process that ended itself because of a failure of its own: whoever watches restarts it. */
  public static final int FAILED = 70;
  /** The exit code of a process that wants to be started again at once. */
  public static final int AGAIN = 75;

  private static final FileAttribute<?> PRIVATE = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
  private static final Logger LOG = LoggerFactory.getLogger(BasicHost.class);
  private static final String IDENTITY = "identity";
  private static final Duration LONGEST_STOP = Duration.ofSeconds(20);

  private final HostBuilder options;
  private final Path data;
  private final Path run;
  private final Metrics metrics = new Metrics(new CollectorRegistry());
  private final HostThreads threads;
  private final LocalServices services;
  private final List<Component> started = new ArrayList<>();
  private final CountDownLatch stopAsked = new CountDownLatch(1);
  private final CountDownLatch stopped = new CountDownLatch(1);
  private Optional<Endpoint> endpoint = Optional.empty();
  private volatile String missing = "starting"; // before it is ready
  private volatile boolean again;
  private boolean closed; // guarded by this
  private boolean heeding; // guarded by this

  BasicHost(HostBuilder options) {
    this.options = options;
    this.data = Objects.requireNonNull(options.data, "a host needs a data folder").toAbsolutePath();
    this.run = options.run == null ? data.resolve("run") : options.run.toAbsolutePath();
    this.threads = new HostThreads(this::fatal);
    this.services = new LocalServices(threads.calls());
  }

  /** Before there is anything: from here on the process can be asked how it is, and to end. */
  final void begin() {
    if (options.heedSignals) {
      heedSignals();
    }
    if (options.onFatal.isEmpty()) { // threads that are not ours to start: the store's, those of libraries
      Thread.setDefaultUncaughtExceptionHandler((thread, cause) -> fatal("thread " + thread.getName(), cause));
    }
    endpoint = options.http.map(address -> Endpoint.start(address, metrics, () -> missing));
  }

  /** Says for what the start waits, and waits a while; false when the process is to end. */
  final boolean waitFor(String what, Duration time) {
    missing = "waiting for " + what;
    try {
      return !stopAsked.await(time.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Ends what {@link #begin} began, when there will be no host. */
  final void abandon() {
    endpoint.ifPresent(Endpoint::close);
    threads.close();
    stopped.countDown();
  }

  void startAll() throws Exception {
    try {
      missing = "starting";
      for (Component component : options.components) {
        long began = System.nanoTime();
        started.add(component); // before it starts: a half-started component must be stopped, too
        component.start(this);
        LOG.info("{} started in {} ms", component.name(), (System.nanoTime() - began) / 1_000_000);
      }
      missing = "";
      started();
    } catch (Exception e) {
      close();
      throw e;
    }
  }

  /** All components have started. */
  abstract void started();

  /** True once all components have started. */
  public boolean ready() {
    return missing.isEmpty();
  }

  /** The port on which /metrics answers, if it does. */
  public Optional<Integer> httpPort() {
    return endpoint.map(Endpoint::port);
  }

  /** From the start when the builder says so: then a signal that comes while components start ends the process in order, too. */
  private synchronized void heedSignals() {
    if (heeding) {
      return;
    }
    heeding = true;
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      boolean signalled = stopAsked.getCount() > 0; // who ends by itself has a code of its own
      stopAsked.countDown();
      try {
        if (!stopped.await(LONGEST_STOP.toNanos(), TimeUnit.NANOSECONDS)) {
          LOG.warn("not stopped after {} s: ending anyway", LONGEST_STOP.toSeconds());
        } else if (signalled && !leavesFiles()) {
          Runtime.getRuntime().halt(0); // left alone, java says 143: a stop in order would look like a failure
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }, "shutdown"));
  }

  /** Blocks until the process is asked to end (SIGTERM, SIGINT) or {@link #close} was called; then close the host. */
  public void awaitStop() throws InterruptedException {
    heedSignals();
    stopAsked.await();
  }

  /** Stops components in reverse order, then everything else. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    missing = "ending";
    threads.stopping();
    for (Component component : started.reversed()) {
      try {
        component.stop();
      } catch (Exception e) {
        LOG.error("{} did not stop cleanly", component.name(), e);
      }
    }
    closeNetwork();
    services.close();
    endpoint.ifPresent(Endpoint::close);
    closeState();
    threads.close();
    closeStore();
    stopAsked.countDown();
    stopped.countDown();
  }

  /** Ends what leads to other hosts. */
  abstract void closeNetwork();

  /** True when something waits for the JVM's own end to delete its temporary files. */
  boolean leavesFiles() {
    return false;
  }

  /** Ends loops and view, which run on the host's threads. */
  abstract void closeState();

  /** Closes what threads may use until they end. */
  abstract void closeStore();

  @Override
  public Clock clock() {
    return options.clock;
  }

  @Override
  public IdSource ids() {
    return options.ids;
  }

  Path data() {
    return data;
  }

  /** Key, certificate, roots and the cluster's key. */
  Path identityFolder() {
    return options.identity.orElse(data.resolve(IDENTITY));
  }

  /** Which node this is. With an identity that processes share it lies beside the keys: one folder to mount. */
  Path membershipFolder() {
    return options.identity.orElse(data);
  }

  @Override
  public Path dataFolder(String component) {
    return folder(component.equals(IDENTITY) ? identityFolder() : data.resolve(component), PRIVATE);
  }

  @Override
  public Path runFolder() {
    return folder(run);
  }

  private static Path folder(Path path, FileAttribute<?>... attributes) {
    try {
      return Files.createDirectories(path, attributes);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make the folder " + path, e);
    }
  }

  @Override
  public Metrics metrics() {
    return metrics;
  }

  LocalServices services() {
    return services;
  }

  Executor calls() {
    return threads.calls();
  }

  @Override
  public final Channel channel(String component) {
    return channel(component, Network.EVERYTHING);
  }

  @Override
  public void serve(String component, BindableService service) {
    services.serve(component, service);
  }

  @Override
  public Thread thread(String name, Runnable body) {
    return threads.platform(name, body);
  }

  @Override
  public Thread blocking(String name, Runnable body) {
    return threads.virtual(name, body);
  }

  @Override
  public AutoCloseable after(Duration delay, Runnable body) {
    return threads.after(delay, body);
  }

  @Override
  public void restart(String why) {
    LOG.info("{} starts again: {}", options.name, why);
    again = true;
    stopAsked.countDown();
    options.onRestart.ifPresent(Runnable::run);
  }

  /** Whether the process is to be started again once it has ended. */
  public boolean again() {
    return again;
  }

  @Override
  public void fatal(String what, Throwable cause) {
    LOG.error("{} ends: {} failed", options.name, what, cause);
    Optional<BiConsumer<String, Throwable>> hook = options.onFatal;
    if (hook.isPresent()) {
      hook.get().accept(what, cause);
      return;
    }
    Runtime.getRuntime().halt(FAILED);
  }
}
