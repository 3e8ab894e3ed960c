package dev.skep.testkit;

import com.google.protobuf.Message;
import dev.skep.backend.ChangeLog;
import dev.skep.backend.Store;
import dev.skep.backend.Store.Outcome;
import dev.skep.runtime.Component;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership;
import dev.skep.runtime.Metrics;
import dev.skep.runtime.NetworkDoor;
import dev.skep.runtime.SessionState;
import dev.skep.runtime.View;
import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.host.ProcessHost;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.identity.Trust;
import dev.skep.runtime.users.Administration;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.IdSource;
import dev.skep.state.Key;
import io.grpc.BindableService;
import io.grpc.Channel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * A host for a service's tests: a real embedded store in a temporary folder, a real view, real loops and in-process gRPC.
 * A component's fatal failure fails {@link #close}, with which every test ends. Folders vanish with it.
 */
public final class TestHost implements Host, AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final Path folder;
  private final ProcessHost host;
  private final List<Throwable> failures;

  private TestHost(Path folder, ProcessHost host, List<Throwable> failures) {
    this.folder = folder;
    this.host = host;
    this.failures = failures;
  }

  /** A host with these components started. */
  public static TestHost start(Component... components) {
    return start(Clock.systemUTC(), components);
  }

  public static TestHost start(Clock clock, Component... components) {
    Path folder;
    try {
      folder = Files.createTempDirectory("skep-test");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    try {
      return start(folder, clock, components);
    } catch (AssertionError e) {
      deleteAll(folder);
      throw e;
    }
  }

  /** A host in a folder of the caller's, where an earlier one may have left its state. It is deleted on close, too. */
  public static TestHost start(Path folder, Clock clock, Component... components) {
    return start(folder, clock, "embedded:" + folder.resolve("store"), builder -> builder, components);
  }

  /** A host on this store, with what else it is told. */
  public static TestHost start(Path folder, Clock clock, String storeUri, UnaryOperator<HostBuilder> more, Component... components) {
    List<Throwable> failures = new CopyOnWriteArrayList<>();
    HostBuilder builder = HostBuilder.named("test").data(folder.resolve("data")).run(folder.resolve("run")).clock(clock)
        .door(_ -> new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)) // many hosts, one machine
        .onFatal((what, cause) -> failures.add(new AssertionError(what + " failed", cause)));
    Arrays.stream(components).forEach(builder::component);
    try {
      return new TestHost(folder, more.apply(builder).startProcess(storeUri), failures);
    } catch (Exception e) {
      throw new AssertionError("the host did not start", e);
    }
  }

  /** Failures that would have ended a real process. */
  public List<Throwable> failures() {
    return failures;
  }

  /** Writes a row as its owner would. Returns the state that shows it. */
  public <T extends Message> ClusterState put(Key<T> key, T value) {
    return commit(new Store.Operation.Put(key.path(), value.toByteArray()));
  }

  public ClusterState delete(Key<?> key) {
    return commit(new Store.Operation.Delete(key.path()));
  }

  /** Commits these operations unconditionally, in one transaction. Returns the state that shows them. */
  public ClusterState commit(Store.Operation... operations) {
    Outcome outcome = host.store().commit(new Store.Transaction(List.of(), List.of(operations)));
    return switch (outcome) {
      case Outcome.Committed committed -> host.view().await(committed.revision(), PATIENCE);
      case Outcome.Conflict conflict -> throw new AssertionError("a conflict without a comparison");
    };
  }

  /** Waits until the view shows what is wanted. Fails with the description after 20 s. */
  public ClusterState await(String description, Predicate<ClusterState> wanted) {
    CompletableFuture<ClusterState> found = new CompletableFuture<>();
    View.Listener listener = (state, changes, reset) -> {
      try {
        if (!found.isDone() && wanted.test(state)) {
          found.complete(state);
        }
      } catch (RuntimeException | AssertionError e) {
        found.completeExceptionally(e);
      }
    };
    AutoCloseable listening = host.view().listen(listener);
    try {
      return found.get(PATIENCE.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new AssertionError("not seen within " + PATIENCE.toSeconds() + " s: " + description + "; failures: " + failures, e);
    } catch (ExecutionException e) {
      throw new AssertionError("while waiting for: " + description, e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("while waiting for: " + description, e);
    } finally {
      close(listening);
    }
  }

  private static void close(AutoCloseable listening) {
    try {
      listening.close();
    } catch (Exception e) {
      throw new IllegalStateException("a listener that cannot be removed", e);
    }
  }

  /** Stops everything and keeps the folder, so that another host can start where this one ended. */
  public Path stop() {
    host.close();
    check();
    return folder;
  }

  @Override
  public void close() {
    host.close();
    deleteAll(folder);
    check();
  }

  private static void deleteAll(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      files.sorted((a, b) -> b.compareTo(a)).forEach(TestHost::delete);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void check() {
    if (!failures.isEmpty()) {
      AssertionError error = new AssertionError("a component failed");
      failures.forEach(error::addSuppressed);
      throw error;
    }
  }

  private static void delete(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Clock clock() {
    return host.clock();
  }

  @Override
  public IdSource ids() {
    return host.ids();
  }

  @Override
  public Path dataFolder(String component) {
    return host.dataFolder(component);
  }

  @Override
  public Path runFolder() {
    return host.runFolder();
  }

  @Override
  public Store store() {
    return host.store();
  }

  @Override
  public ChangeLog changeLog() {
    return host.changeLog();
  }

  @Override
  public View view() {
    return host.view();
  }

  @Override
  public Membership membership() {
    return host.membership();
  }

  @Override
  public Metrics metrics() {
    return host.metrics();
  }

  @Override
  public Trust trust() {
    return host.trust();
  }

  @Override
  public SessionState session() {
    return host.session();
  }

  @Override
  public NetworkDoor door() {
    return host.door();
  }

  @Override
  public StoreAccess storeAccess() {
    return host.storeAccess();
  }

  @Override
  public void tryStore(StoreAccess other) {
    host.tryStore(other);
  }

  @Override
  public Optional<Administration> administration() {
    return host.administration();
  }

  @Override
  public void restart(String why) {
    host.restart(why);
  }

  @Override
  public String address() {
    return host.address();
  }

  @Override
  public Channel peer(String address) {
    return host.peer(address);
  }

  @Override
  public boolean managerSilent() {
    return host.managerSilent();
  }

  @Override
  public List<String> managers() {
    return host.managers();
  }

  @Override
  public void managerChosen(String address) {
    host.managerChosen(address);
  }

  @Override
  public Channel channel(String component) {
    return host.channel(component);
  }

  @Override
  public Channel channel(String component, String purpose) {
    return host.channel(component, purpose);
  }

  @Override
  public void serve(String component, BindableService service) {
    host.serve(component, service);
  }

  @Override
  public ControlLoop lead(String name, Runnable changed) {
    return host.lead(name, changed);
  }

  @Override
  public ControlLoop loop(String name, Decider decider) {
    return host.loop(name, decider);
  }

  @Override
  public Thread thread(String name, Runnable body) {
    return host.thread(name, body);
  }

  @Override
  public Thread blocking(String name, Runnable body) {
    return host.blocking(name, body);
  }

  @Override
  public AutoCloseable after(Duration delay, Runnable body) {
    return host.after(delay, body);
  }

  @Override
  public void fatal(String what, Throwable cause) {
    host.fatal(what, cause);
  }
}
