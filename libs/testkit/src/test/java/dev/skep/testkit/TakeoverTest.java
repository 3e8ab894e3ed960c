package dev.skep.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three processes on one store: when the one that decides ends, is stopped or loses the store, another goes on. */
@Timeout(120)
class TakeoverTest {
  private static final Duration LONG = Duration.ofHours(1); // a lease that does not run out while a test runs

  @TempDir Path folder;
  private final List<SharedStore.Client> clients = new ArrayList<>();
  private SharedStore shared;
  private ThreeManagers three;

  @BeforeEach
  void start() throws Exception {
    shared = SharedStore.in(folder.resolve("store"));
    List<ThreeManagers.Opening> openings = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      SharedStore.Client client = shared.client();
      clients.add(client);
      openings.add(builder -> builder.shared(client).lease(LONG).startProcess("shared:"));
    }
    three = new ThreeManagers(folder, shared.store(), openings);
  }

  @AfterEach
  void end() {
    clients.forEach(SharedStore.Client::goOn);
    three.close();
    shared.close();
  }

  private SharedStore.Client client(ThreeManagers.Manager manager) {
    return clients.get(three.managers.indexOf(manager));
  }

  /** As kill -9 leaves it: it does nothing more, and its connections are gone. Its lease lives on. */
  private void kill(ThreeManagers.Manager manager) {
    client(manager).stand();
    manager.host.door().close();
  }

  @Test
  void whenTheHoldersProcessEndsAnotherDecidesAlthoughItsLeaseLives() throws Exception {
    three.service();
    ThreeManagers.Manager holder = three.holder("tasks");
    three.decidedOnce(three.other(holder));
    kill(holder);
    three.service();
    three.decidedOnce(three.other(holder));
    ThreeManagers.Manager next = three.managers.stream().filter(manager -> manager.loop.leading() && manager != holder).findFirst().orElseThrow();
    kill(next);
    three.service();
    ThreeManagers.Manager last = three.managers.stream().filter(manager -> manager != holder && manager != next).findFirst().orElseThrow();
    three.decidedOnce(last);
  }

  @Test
  void aHolderThatWasStoppedIsFencedWhenItWakes() throws Exception {
    ThreeManagers.Manager holder = three.holder("tasks");
    CountDownLatch underWay = client(holder).standAtNextCommit();
    three.service();
    assertThat(underWay.await(ThreeManagers.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    client(holder).endLeases();
    three.decidedOnce(three.other(holder));
    client(holder).goOn(); // its commit arrives now
    long revision = three.service();
    holder.host.view().await(revision, ThreeManagers.PATIENCE);
    three.decidedOnce(holder);
  }

  @Test
  void whoLosesTheStoreDecidesNothingUntilItIsBack() throws Exception {
    three.service();
    ThreeManagers.Manager holder = three.holder("tasks");
    three.decidedOnce(three.other(holder));
    clients.forEach(client -> client.away(true));
    three.service();
    clients.forEach(client -> client.away(false));
    three.decidedOnce(three.other(holder));
    client(holder).away(true);
    client(holder).endLeases();
    three.service();
    three.decidedOnce(three.other(holder));
    client(holder).away(false);
    three.service();
    three.decidedOnce(holder);
  }

  @Test
  void anOrderlyEndHandsTheLoopsOverAtOnce() throws Exception {
    ThreeManagers.Manager holder = three.holder("alone");
    holder.host.close();
    three.service();
    ThreeManagers.Manager other = three.other(holder);
    three.decidedOnce(other);
    ClusterState state = Deciding.await(other.host.view(), "another holder", now -> {
      var row = now.value(Rows.LEADER.key("alone"));
      return row != null && !row.getHolder().equals(holder.host.holder());
    });
    assertThat(state.value(Rows.LEADER.key("alone")).getCommits()).isEqualTo(1);
  }
}
