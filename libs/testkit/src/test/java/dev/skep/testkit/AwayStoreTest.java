package dev.skep.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.runtime.election.ProcessLease;
import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.host.ProcessHost;
import dev.skep.state.Rows;
import dev.skep.state.v1.ServiceRow;
import dev.skep.testkit.net.Ports;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A store that others serve may be away: from the beginning, and in between. */
@Timeout(120)
class AwayStoreTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir Path folder;
  private SharedStore shared;
  private SharedStore.Client client;

  @BeforeEach
  void open() {
    shared = SharedStore.in(folder.resolve("store"));
    client = shared.client();
  }

  @AfterEach
  void close() {
    shared.close();
  }

  private long put(String service) {
    return ((Store.Outcome.Committed) shared.store().commit(new Store.Transaction(List.of(),
        List.of(new Store.Operation.Put(Rows.SERVICE.key(service).path(), ServiceRow.getDefaultInstance().toByteArray()))))).revision();
  }

  private HostBuilder builder() {
    return HostBuilder.named("test").data(folder.resolve("data")).shared(client).onFatal((what, cause) -> {
      throw new AssertionError(what, cause);
    });
  }

  private static String ready(int port) throws Exception {
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/ready")).timeout(PATIENCE).build();
      HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
      return answer.statusCode() + " " + answer.body().strip();
    }
  }

  private static void awaitReady(int port, String wanted) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    String seen = "nothing yet";
    while (!seen.equals(wanted) && System.nanoTime() < deadline) {
      try {
        seen = ready(port);
      } catch (IOException e) { // it does not listen yet
        seen = e.toString();
      }
    }
    assertThat(seen).isEqualTo(wanted);
  }

  @Test
  void aProcessWaitsForItsStore() throws Exception {
    client.away(true);
    int port = Ports.free(1).getFirst();
    CompletableFuture<ProcessHost> started = new CompletableFuture<>();
    Thread.ofPlatform().start(() -> {
      try {
        started.complete(builder().http(new InetSocketAddress("127.0.0.1", port)).startProcess("shared:here"));
      } catch (Exception e) {
        started.completeExceptionally(e);
      }
    });
    awaitReady(port, "503 waiting for the store shared:here: the store is away");
    assertThat(started).isNotDone();
    client.away(false);
    try (ProcessHost host = started.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
      awaitReady(port, "200 ready");
      assertThat(host.view().await(put("s"), PATIENCE).has(Rows.SERVICE.key("s"))).isTrue();
    }
  }

  @Test
  void whatIsAskedMeanwhileFailsAndTheViewGoesOn() throws Exception {
    try (ProcessHost host = builder().startProcess("shared:")) {
      host.view().await(put("before"), PATIENCE);
      client.away(true);
      assertThatThrownBy(() -> host.view().fresh(PATIENCE)).isInstanceOf(StoreException.class).hasMessageContaining("away");
      assertThat(host.view().state().has(Rows.SERVICE.key("before"))).isTrue();
      put("meanwhile");
      client.away(false);
      assertThat(host.view().fresh(PATIENCE).has(Rows.SERVICE.key("meanwhile"))).isTrue();
    }
  }

  @Test
  void aWatchThatTheStoreDoesNotTakeIsTriedAgain() throws Exception {
    try (ProcessHost host = builder().startProcess("shared:")) {
      host.view().await(put("before"), PATIENCE);
      client.breakWatches();
      assertThat(host.view().await(put("after"), PATIENCE).has(Rows.SERVICE.key("after"))).isTrue();
    }
  }

  @Test
  void aLostLeaseIsMadeAnew() throws Exception {
    Semaphore changes = new Semaphore(0);
    ProcessLease lease = new ProcessLease(client, Duration.ofHours(1), changes::release);
    assertThat(lease.id()).isEmpty();
    Thread keeper = Thread.ofPlatform().start(lease);
    await(changes);
    long first = lease.id().orElseThrow();
    client.away(true);
    client.endLeases();
    await(changes);
    assertThat(lease.id()).isEmpty();
    client.away(false);
    await(changes);
    assertThat(lease.id().orElseThrow()).isNotEqualTo(first);
    lease.close();
    keeper.join();
    assertThat(lease.id()).isEmpty();
  }

  private static void await(Semaphore changes) throws InterruptedException {
    assertThat(changes.tryAcquire(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
  }
}
