package dev.skep.runtime.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Store;
import dev.skep.runtime.Component;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership.Identity;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostTest {
  private static final long PATIENCE_SECONDS = 60;

  @TempDir
  private Path folder;

  private final List<String> events = new ArrayList<>();
  private final BlockingQueue<String> fatal = new LinkedBlockingQueue<>();

  private HostBuilder builder() {
    return HostBuilder.named("test").data(folder.resolve("data")).onFatal((what, cause) -> fatal.add(what + ": " + cause.getMessage()));
  }

  private String store() {
    return "embedded:" + folder.resolve("store");
  }

  private final class Noted implements Component {
    private final String name;
    private final boolean fails;

    private Noted(String name, boolean fails) {
      this.name = name;
      this.fails = fails;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public void start(Host host) {
      events.add("start " + name);
      if (fails) {
        throw new IllegalStateException("no " + name);
      }
    }

    @Override
    public void stop() {
      events.add("stop " + name);
    }
  }

  @Test
  void componentsStartInOrderAndStopInReverse() throws Exception {
    try (ProcessHost host = builder().component(new Noted("a", false)).component(new Noted("b", false)).startProcess(store())) {
      assertThat(host.ready()).isTrue();
    }
    assertThat(events).containsExactly("start a", "start b", "stop b", "stop a");
  }

  @Test
  void aComponentThatDoesNotStartTakesTheHostDownCleanly() throws Exception {
    assertThatThrownBy(() -> builder().component(new Noted("a", false)).component(new Noted("b", true)).component(new Noted("c", false))
        .startProcess(store())).hasMessage("no b");
    assertThat(events).containsExactly("start a", "start b", "stop b", "stop a");
    builder().startProcess(store()).close(); // the store was given back
  }

  @Test
  void aThreadsFailureEndsTheProcess() throws Exception {
    try (ProcessHost host = builder().startProcess(store())) {
      host.thread("worker", () -> {
        throw new IllegalStateException("broken");
      });
      assertThat(fatal.poll(PATIENCE_SECONDS, TimeUnit.SECONDS)).isEqualTo("thread worker: broken");
      host.blocking("caller", () -> {
        throw new IllegalStateException("broken, too");
      });
      assertThat(fatal.poll(PATIENCE_SECONDS, TimeUnit.SECONDS)).isEqualTo("thread caller: broken, too");
      host.after(Duration.ofMillis(1), () -> {
        throw new IllegalStateException("late");
      });
      assertThat(fatal.poll(PATIENCE_SECONDS, TimeUnit.SECONDS)).isEqualTo("a timer: late");
      host.loop("bad", (state, since, tick) -> {
        throw new IllegalStateException("undecided");
      });
      host.store().commit(
          new Store.Transaction(
              List.of(), List.of(new Store.Operation.Put(Rows.cluster().path(), ClusterRow.getDefaultInstance().toByteArray()))));
      assertThat(fatal.poll(PATIENCE_SECONDS, TimeUnit.SECONDS)).isEqualTo("thread loop-bad: undecided");
    }
    assertThat(fatal).isEmpty();
  }

  @Test
  void aTimerRunsOnceUnlessItIsCancelled() throws Exception {
    try (ProcessHost host = builder().startProcess(store())) {
      CountDownLatch ran = new CountDownLatch(1);
      host.after(Duration.ofHours(1), () -> fatal.add("cancelled one ran")).close();
      host.after(Duration.ZERO, ran::countDown);
      assertThat(ran.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(fatal).isEmpty();
  }

  @Test
  void theEdgeHasNoState() throws Exception {
    try (EdgeHost host = builder().startEdge()) {
      assertThatThrownBy(host::store).isInstanceOf(IllegalStateException.class).hasMessageContaining("no store");
      assertThatThrownBy(host::view).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> host.loop("x", null)).isInstanceOf(IllegalStateException.class);
      Path data = host.dataFolder("dns-discovery");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(data))).isEqualTo("rwx------");
    }
  }

  @Test
  void metricsAndHealthAnswerOnLoopback() throws Exception {
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    try (ProcessHost host = builder().http(any).startProcess(store()); HttpClient client = HttpClient.newHttpClient()) {
      String base = "http://127.0.0.1:" + host.httpPort().orElseThrow();
      assertThat(get(client, base + "/ready")).isEqualTo("200 ready\n");
      assertThat(get(client, base + "/live")).isEqualTo("200 live\n");
      assertThat(get(client, base + "/metrics")).startsWith("200").contains("skep_view_revision 0.0", "jvm_memory_bytes_used");
      assertThat(get(client, base + "/metricsandmore")).startsWith("404");
    }
    assertThatThrownBy(() -> builder().http(new InetSocketAddress("0.0.0.0", 0)).startProcess(store()))
        .hasMessageContaining("loopback address only");
  }

  private static String get(HttpClient client, String uri) throws Exception {
    HttpResponse<String> response = client.send(HttpRequest.newBuilder(URI.create(uri)).build(), HttpResponse.BodyHandlers.ofString());
    return response.statusCode() + " " + response.body();
  }

  @Test
  void membershipSurvivesARestartAndListenersHearOfEveryChange() throws Exception {
    Identity identity = new Identity(
        "cluster", "node", true, "10.0.0.1", "10.0.0.1", "0.0.0.0:2400", List.of("10.0.0.1:2400", "10.0.0.2:2377"));
    List<Optional<Identity>> heard = new ArrayList<>();
    FileMembership first = new FileMembership(folder.resolve("m"));
    try (AutoCloseable listening = closeable(first.listen(heard::add))) {
      assertThat(listening).isNotNull();
      first.become(identity);
    }
    FileMembership second = new FileMembership(folder.resolve("m"));
    assertThat(second.current()).contains(identity);
    second.leave();
    assertThat(new FileMembership(folder.resolve("m")).current()).isEmpty();
    assertThat(heard).containsExactly(Optional.empty(), Optional.of(identity));
  }

  @Test
  void aMembershipFromBeforeNodesCouldJoinIsRead() throws Exception {
    String old = "cluster=c1\nnode=n1\nmanager=%s\nadvertise-address=10.0.0.1\ndata-path-address=10.0.0.1\n";
    Files.writeString(folder.resolve("membership.properties"), old.formatted("true"));
    assertThat(new FileMembership(folder).current())
        .contains(new Identity("c1", "n1", true, "10.0.0.1", "10.0.0.1", "0.0.0.0:2377", List.of("10.0.0.1:2377")));
    Files.writeString(folder.resolve("membership.properties"), old.formatted("false"));
    assertThat(new FileMembership(folder).current()).contains(new Identity("c1", "n1", false, "10.0.0.1", "10.0.0.1"));
  }

  private static AutoCloseable closeable(AutoCloseable closeable) {
    return closeable;
  }

  @Test
  void aFatalFailureEndsARealProcessWithItsOwnCode() throws Exception {
    Process process = child("fatal");
    try {
      assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isEqualTo(BasicHost.FAILED);
      assertThat(Files.readString(errors())).contains("thread bad", "IllegalStateException: as asked");
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  @Test
  void aSignalStopsTheComponents() throws Exception {
    Process process = child("wait");
    try {
      assertThat(process.inputReader().readLine()).isEqualTo("started");
      process.toHandle().destroy();
      assertThat(process.inputReader().readLine()).isEqualTo("stopped");
      assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
      assertThat(Files.readString(errors())).doesNotContain("ERROR", "Exception");
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  /** A file, so that a child that says much does not wait for us. */
  private Path errors() {
    return folder.resolve("child.err");
  }

  private Process child(String what) throws Exception {
    return new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(), "--enable-native-access=ALL-UNNAMED", "-Xmx64m",
        "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path"), ChildProcess.class.getName(), what,
        folder.toString()).redirectError(errors().toFile()).start();
  }
}
