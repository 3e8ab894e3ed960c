package dev.skep.relay.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RelayCoreTest {
  private static final Instant START = Instant.parse("2026-11-21T12:00:00Z");
  private static final Rules RULES =
      new Rules(Duration.ofMinutes(10), Duration.ofMinutes(30), Duration.ofMinutes(1), Duration.ofDays(1), 3, 1_000, Rules.LONGEST_TRY);

  private final RelayCore core = new RelayCore(RULES);
  private Instant now = START;

  private Action next() {
    return core.next(now);
  }

  /** Time passes, and the core looks on. */
  private void until(Duration sinceStart) {
    while (now.isBefore(START.plus(sinceStart))) {
      now = now.plus(Duration.ofMinutes(1));
      core.seen(0, now);
    }
  }

  private static LogEnd end(String epoch, long revision) {
    return new LogEnd(epoch, revision, true, START);
  }

  private static Moved moved(long revision) {
    return new Moved(revision, List.of(new Change("k" + revision, new byte[] {1}, revision, revision)));
  }

  private static Moved cluster(long revision, String epoch) {
    byte[] value = epoch.isEmpty() ? null : ClusterRow.newBuilder().setEpoch(epoch).build().toByteArray();
    return new Moved(revision, List.of(new Change(Rows.cluster().path(), value, revision, revision)));
  }

  /** Leads, and follows the store from the revision after this one. */
  private void following(long revision) {
    core.mandated();
    assertThat(next()).isEqualTo(new Action.Claim());
    core.claimed(end("e", revision), "e");
    assertThat(next()).isEqualTo(new Action.Watch(revision + 1));
  }

  private static Action.Append append(long previous, Moved... moved) {
    List<Action.Link> links = new java.util.ArrayList<>();
    for (Moved one : moved) {
      links.add(new Action.Link(previous, one));
      previous = one.revision();
    }
    return new Action.Append("e", links);
  }

  @Test
  void withoutAMandateItDoesNothing() {
    assertThat(next()).isEqualTo(new Action.Sleep(Optional.empty()));
    following(5);
    core.dismissed();
    assertThat(next()).isEqualTo(new Action.Sleep(Optional.empty()));
    assertThat(core.watching()).isFalse();
  }

  @Test
  void anEmptyLogBeginsWithTheStateAsItIs() {
    core.mandated();
    next();
    core.claimed(new LogEnd("", 0, false, Instant.EPOCH), "e");
    assertThat(next()).isEqualTo(new Action.Begin(Reason.FIRST, 0));
    core.began(end("e", 12), "e", now);
    assertThat(next()).isEqualTo(new Action.Watch(13));
  }

  @Test
  void revisionsAreAppendedInBatchesEachLinkedToTheOneBefore() {
    following(5);
    Moved[] moved = {moved(6), moved(8), moved(9), moved(10)};
    for (Moved one : moved) {
      core.moved(one, now);
    }
    assertThat(next()).isEqualTo(append(5, moved[0], moved[1], moved[2]));
    core.appended(end("e", 9), now);
    assertThat(next()).isEqualTo(append(9, moved[3]));
    core.appended(end("e", 10), now);
    assertThat(next()).isInstanceOf(Action.Sleep.class);
    assertThat(core.relayed()).isEqualTo(10);
  }

  @Test
  void aLargeRevisionGoesAlone() {
    following(5);
    Moved large = new Moved(7, List.of(new Change("k", new byte[5_000], 7, 7)));
    core.moved(moved(6), now);
    core.moved(large, now);
    assertThat(next()).isEqualTo(append(5, core6()));
    core.appended(end("e", 6), now);
    assertThat(next()).isEqualTo(append(6, large));
  }

  private Moved core6() {
    return ((Action.Append) next()).links().getFirst().moved();
  }

  @Test
  void afterAFailureOnlyTheLogsEndSaysWhatLanded() {
    following(5);
    core.moved(moved(6), now);
    core.moved(moved(7), now);
    assertThat(next()).isInstanceOf(Action.Append.class);
    core.failed(now);
    assertThat(core.watching()).isFalse();
    assertThat(next()).isEqualTo(new Action.Sleep(Optional.of(now.plusMillis(20))));
    now = now.plusMillis(20);
    assertThat(next()).isEqualTo(new Action.Claim());
    core.failed(now);
    now = now.plusMillis(40);
    assertThat(next()).isEqualTo(new Action.Claim());
    core.claimed(end("e", 7), "e"); // it had landed after all
    assertThat(next()).isEqualTo(new Action.Watch(8));
  }

  @Test
  void whatTheStoreForgotIsAHoleBehindWhatWasSeen() {
    following(5);
    Moved six = moved(6);
    core.moved(six, now);
    core.lost();
    assertThat(next()).isEqualTo(append(5, six));
    core.appended(end("e", 6), now);
    assertThat(next()).isEqualTo(new Action.Begin(Reason.COMPACTED, 6));
    core.began(end("e", 40), "e", now);
    assertThat(next()).isEqualTo(new Action.Watch(41));
  }

  @Test
  void anUnfinishedSnapshotIsBegunAgain() {
    core.mandated();
    core.claimed(new LogEnd("e", 6, false, Instant.EPOCH), "e");
    assertThat(next()).isEqualTo(new Action.Begin(Reason.COMPACTED, 6));
  }

  @Test
  void anotherEpochAtTheLogsEndMeansToBeginAnew() {
    core.mandated();
    core.claimed(end("other", 600), "e");
    assertThat(next()).isEqualTo(new Action.Begin(Reason.NEW_EPOCH, 0));
  }

  @Test
  void aRestoreUnderTheRelayEndsTheEpochWhereItHappens() {
    following(5);
    core.moved(moved(6), now);
    core.moved(cluster(7, "f"), now);
    core.moved(moved(8), now);
    assertThat(((Action.Append) next()).links()).hasSize(1);
    core.appended(end("e", 6), now);
    assertThat(next()).isEqualTo(new Action.Begin(Reason.NEW_EPOCH, 0));
    core.began(end("f", 9), "f", now);
    assertThat(next()).isEqualTo(new Action.Watch(10));
  }

  @Test
  void theEndOfAClusterIsItsLastRecord() {
    following(5);
    Moved last = cluster(6, "");
    core.moved(last, now);
    assertThat(next()).isEqualTo(append(5, last));
    core.appended(end("e", 6), now);
    assertThat(next()).isEqualTo(new Action.Sleep(Optional.empty()));
  }

  @Test
  void anUpdateOfTheClusterChangesNoEpoch() {
    following(5);
    core.moved(cluster(6, "e"), now);
    core.moved(moved(7), now);
    assertThat(((Action.Append) next()).links()).hasSize(2);
  }

  @Test
  void theStoreForgetsWhatIsInTheLogAndOldEnough() {
    following(5);
    core.seen(5, now);
    until(Duration.ofMinutes(5));
    core.moved(moved(6), now);
    next();
    core.appended(end("e", 6), now);
    until(Duration.ofMinutes(10));
    assertThat(next()).isEqualTo(new Action.Compact(5));
    core.compacted(5, now);
    assertThat(next()).isInstanceOf(Action.Sleep.class);
    until(Duration.ofMinutes(15));
    assertThat(next()).isEqualTo(new Action.Compact(6));
    core.compacted(6, now);
    assertThat(next()).isEqualTo(new Action.Sleep(Optional.of(START.plus(Duration.ofDays(1))))); // the snapshot
  }

  @Test
  void whatIsNotInTheLogIsKeptUntilItIsHeldTooLong() {
    following(5);
    core.seen(5, now);
    core.failed(now);
    now = now.plus(Duration.ofMinutes(1));
    core.seen(50, now);
    until(Duration.ofMinutes(12));
    assertThat(next()).isEqualTo(new Action.Compact(5));
    core.compacted(5, now);
    until(Duration.ofMinutes(29));
    assertThat(next()).isEqualTo(new Action.Claim());
    core.failed(now);
    until(Duration.ofMinutes(31));
    assertThat(next()).isEqualTo(new Action.Compact(50)); // the log has a hole from here on
  }

  @Test
  void timeInWhichItDidNotLookMakesNoHole() {
    following(5);
    core.seen(5, now);
    core.failed(now);
    until(Duration.ofMinutes(1));
    core.seen(50, now);
    now = now.plus(Duration.ofHours(1)); // the clock was set, or the process stood still
    assertThat(next()).isEqualTo(new Action.Claim());
    core.failed(now);
    until(Duration.ofMinutes(60 + 29));
    assertThat(next()).isNotEqualTo(new Action.Compact(50));
    until(Duration.ofMinutes(60 + 32));
    core.compacted(5, now.minus(Duration.ofMinutes(1)));
    assertThat(next()).isEqualTo(new Action.Compact(50));
  }

  /** Each try waits for brokers that do not answer, for longer than all that is kept. */
  @Test
  void timeInWhichTheLogWasTriedCounts() {
    Duration second = Duration.ofSeconds(1);
    RelayCore brief = new RelayCore(new Rules(second, second.multipliedBy(20), second, Duration.ofDays(1), 3, 1_000, Rules.LONGEST_TRY));
    brief.mandated();
    brief.seen(50, now);
    for (int tries = 0; !(brief.next(now) instanceof Action.Compact); tries++) {
      assertThat(tries).isLessThan(10);
      now = now.plus(second.multipliedBy(10));
      brief.failed(now);
      now = now.plus(second.multipliedBy(3)); // it may pause
      brief.seen(60, now);
    }
    assertThat(brief.next(now)).isEqualTo(new Action.Compact(50));
  }

  @Test
  void aSnapshotIsDueOnceADay() {
    following(5);
    assertThat(next()).isEqualTo(new Action.Sleep(Optional.of(START.plus(Duration.ofDays(1)))));
    now = START.plus(Duration.ofDays(1));
    assertThat(next()).isEqualTo(new Action.Snapshot("e", 5));
    core.notAppended(now);
    assertThat(next()).isEqualTo(new Action.Sleep(Optional.of(now.plus(Duration.ofMinutes(1)))));
    now = now.plus(Duration.ofMinutes(1));
    assertThat(next()).isEqualTo(new Action.Snapshot("e", 5));
    core.appended(new LogEnd("e", 5, true, now), now);
    assertThat(next()).isEqualTo(new Action.Sleep(Optional.of(now.plus(Duration.ofDays(1)))));
  }

  @Test
  void aClockThatIsSetBackHoldsNothingUp() {
    following(5);
    core.failed(now);
    now = now.minus(Duration.ofHours(1));
    assertThat(next()).isEqualTo(new Action.Claim());
  }

  @Test
  void theLagIsThatOfTheOldestRevisionThatWaits() {
    following(5);
    assertThat(core.lag(now)).isZero();
    core.moved(moved(6), now);
    now = now.plusSeconds(3);
    core.moved(moved(7), now);
    assertThat(core.lag(now)).isEqualTo(Duration.ofSeconds(3));
    assertThat(core.lagRevisions()).isEqualTo(2);
    core.appended(end("e", 6), now);
    assertThat(core.lag(now)).isZero();
    now = now.plusSeconds(1);
    assertThat(core.lag(now)).isEqualTo(Duration.ofSeconds(1));
    core.failed(now);
    now = now.plusSeconds(60);
    assertThat(core.lag(now)).isEqualTo(Duration.ofSeconds(61)); // also while nothing is followed
    core.claimed(end("e", 7), "e");
    core.appended(end("e", 7), now);
    assertThat(core.lag(now)).isZero();
  }
}
