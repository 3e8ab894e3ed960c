package dev.skep.runtime.election;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.state.ClusterState;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class HoldersTest {
  private final class Call implements AutoCloseable {
    private final String address;
    private final Holders.Line line;
    private boolean open = true;

    private Call(String address, Holders.Line line) {
      this.address = address;
      this.line = line;
    }

    @Override
    public void close() {
      open = false;
    }
  }

  private final class Waiting implements AutoCloseable {
    private final Duration delay;
    private final Runnable body;

    private Waiting(Duration delay, Runnable body) {
      this.delay = delay;
      this.body = body;
    }

    @Override
    public void close() {
      timers.remove(this);
    }
  }

  private final List<Call> calls = new ArrayList<>();
  private final List<Waiting> timers = new ArrayList<>();
  private int news;
  private ClusterState state = ClusterState.empty();
  private final Holders holders = new Holders("me", (address, line) -> {
    Call call = new Call(address, line);
    calls.add(call);
    return call;
  }, (delay, body) -> {
    Waiting waiting = new Waiting(delay, body);
    timers.add(waiting);
    return waiting;
  }, () -> news++);

  private void holds(String loop, String holder, String address) {
    byte[] row = LeaderRow.newBuilder().setHolder(holder).setAddress(address).build().toByteArray();
    long revision = state.revision() + 1;
    ClusterState.Step step = state.apply(revision, List.of(new Stored(Rows.LEADER.key(loop).path(), row, revision, revision)));
    state = step.state();
    holders.moved(state, step.changes(), false);
  }

  private List<Call> open() {
    return calls.stream().filter(call -> call.open).toList();
  }

  /** The timer that was set last runs. */
  private void fire() {
    Waiting last = timers.removeLast();
    last.body.run();
  }

  @Test
  void oneCallToEachOtherProcessThatHoldsALoopOfOurs() {
    holders.loop("a", state);
    holders.loop("b", state);
    holds("a", "h1", "one:1");
    holds("b", "h1", "one:1");
    holds("c", "h2", "two:2");
    assertThat(calls).extracting(call -> call.address).containsExactly("one:1");
    holds("b", "h2", "two:2");
    holds("a", "me", "here:1");
    assertThat(open()).extracting(call -> call.address).containsExactly("two:2");
    holds("b", "h2", "moved:2");
    assertThat(open()).extracting(call -> call.address).containsExactly("moved:2");
    holders.close();
    assertThat(open()).isEmpty();
    holds("a", "h1", "one:1");
    assertThat(open()).isEmpty();
  }

  @Test
  void aHolderWhoseCallBreaksAndThatIsRefusedIsGoneAtOnce() {
    holders.loop("a", state);
    holds("a", "h1", "one:1");
    calls.getLast().line.told("h1");
    calls.getLast().line.ended(false);
    assertThat(holders.gone("h1")).isFalse();
    assertThat(timers.getLast().delay).isZero();
    fire();
    assertThat(calls).hasSize(2);
    calls.getLast().line.ended(true);
    assertThat(holders.gone("h1")).isTrue();
    assertThat(news).isEqualTo(1);
    assertThat(holders.gone("h2")).isFalse();
  }

  @Test
  void oneThatDoesNotAnswerAgainInTimeIsGone() {
    holders.loop("a", state);
    holds("a", "h1", "one:1");
    calls.getLast().line.told("h1");
    calls.getLast().line.ended(false);
    fire();
    assertThat(timers.getLast().delay).isEqualTo(Acquaintance.ONCE_MORE);
    fire();
    assertThat(holders.gone("h1")).isTrue();
    assertThat(open()).isEmpty();
    fire();
    calls.getLast().line.told("h1");
    assertThat(holders.gone("h1")).as("it answers after all").isFalse();
    assertThat(news).isEqualTo(2);
  }

  @Test
  void whatAnEarlierCallSaysIsOfNoInterest() {
    holders.loop("a", state);
    holds("a", "h1", "one:1");
    Call first = calls.getLast();
    fire(); // not answered in time
    fire(); // again
    calls.getLast().line.told("h1");
    first.line.ended(true);
    assertThat(holders.gone("h1")).isFalse();
    holds("a", "h2", "two:2");
    calls.getFirst().line.told("h3");
    assertThat(news).isZero();
  }

  @Test
  void aHolderWithoutAnAddressIsNotCalled() {
    holders.loop("a", state);
    holds("a", "h1", "");
    assertThat(calls).isEmpty();
    assertThat(holders.gone("h1")).isFalse();
  }

  @Test
  void aHolderThatNeverAnsweredIsGoneWhenItIsRefused() {
    holders.loop("a", state);
    holds("a", "h1", "one:1");
    calls.getLast().line.ended(true);
    assertThat(holders.gone("h1")).isTrue();
    assertThat(news).isEqualTo(1);
  }

  @Test
  void whereAnotherAnswersItIsGoneAtOnce() {
    holders.loop("a", state);
    holds("a", "h1", "one:1");
    calls.getLast().line.told("h2");
    assertThat(holders.gone("h1")).isTrue();
    assertThat(open()).isEmpty();
    assertThat(timers).as("nothing more can be learnt").isEmpty();
  }

  @Test
  void aLoopIsTakenFromALivingHolderOnceAtMost() {
    holders.loop("a", state);
    holders.loop("b", state);
    holds("a", "h1", "wrong:1");
    holds("b", "h1", "wrong:1");
    calls.getLast().line.ended(true);
    assertThat(holders.gone("h1")).isTrue();
    holds("a", "me", "here:1");
    assertThat(holders.gone("h1")).as("for the other loop").isTrue();
    holds("a", "h1", "wrong:1");
    assertThat(holders.gone("h1")).as("it lives").isFalse();
    assertThat(open()).hasSize(1);
    calls.getLast().line.ended(true);
    fire();
    calls.getLast().line.told("h3");
    assertThat(holders.gone("h1")).isFalse();
    holds("b", "me", "here:1");
    holds("a", "me", "here:1"); // when its lease had run out
    holds("b", "h1", "wrong:2");
    calls.getLast().line.ended(true);
    assertThat(holders.gone("h1")).as("wherever it is").isFalse();
    fire();
    calls.getLast().line.told("h1");
    calls.getLast().line.ended(false);
    fire();
    calls.getLast().line.ended(true);
    assertThat(holders.gone("h1")).as("it answered there").isTrue();
  }
}
