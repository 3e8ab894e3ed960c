package dev.skep.relay.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ReplayTest {
  private final Replay replay = new Replay();

  private static Change row(String key, int value, long created, long modified) {
    return new Change(key, new byte[] {(byte) value}, created, modified);
  }

  private static Change gone(String key, long revision) {
    return new Change(key, null, 0, revision);
  }

  private void base(long revision, Change... rows) {
    replay.reset("e", revision, 0, Reason.FIRST);
    replay.snapshot("e", revision, 0, false, List.of(rows));
    replay.snapshot("e", revision, 1, true, List.of());
  }

  @Test
  void aSnapshotAndTheChangesAfterItMakeTheState() {
    base(5, row("a", 1, 2, 3), row("b", 1, 5, 5));
    replay.changes("e", 6, 5, List.of(row("a", 2, 2, 6), row("c", 1, 6, 6)));
    replay.changes("e", 9, 6, List.of(gone("b", 9)));
    assertThat(replay.known()).isTrue();
    assertThat(replay.holes()).isEmpty();
    assertThat(replay.revision()).isEqualTo(9);
    assertThat(replay.differences(List.of(row("a", 2, 2, 6), row("c", 1, 6, 6)))).isEmpty();
    assertThat(replay.differences(List.of(row("a", 2, 2, 6), row("c", 2, 6, 6), row("d", 1, 1, 1)))).containsExactly("c", "d");
    assertThat(replay.differences(List.of(row("a", 2, 2, 5), row("c", 1, 6, 6)))).containsExactly("a");
  }

  @Test
  void equalStatesHaveEqualDigests() {
    base(5, row("a", 1, 2, 3));
    String before = replay.digest();
    replay.changes("e", 6, 5, List.of(row("a", 2, 2, 6)));
    assertThat(replay.digest()).isNotEqualTo(before);
    Replay other = new Replay();
    other.snapshot("e", 6, 0, true, List.of(row("a", 2, 2, 6)));
    assertThat(other.digest()).isEqualTo(replay.digest());
  }

  @Test
  void missingRecordsAreAHoleAndTheStateIsUnknown() {
    base(5);
    replay.changes("e", 6, 5, List.of());
    replay.changes("e", 9, 8, List.of());
    assertThat(replay.holes()).containsExactly(new Replay.Hole(6, 8, "records are missing, and nothing says why"));
    assertThat(replay.known()).isFalse();
    replay.snapshot("e", 9, 0, true, List.of(row("a", 1, 9, 9)));
    assertThat(replay.known()).isTrue();
    assertThat(replay.differences(List.of(row("a", 1, 9, 9)))).isEmpty();
  }

  @Test
  void aResetSaysWhatIsMissing() {
    base(5);
    replay.reset("e", 40, 5, Reason.COMPACTED);
    assertThat(replay.known()).isFalse();
    replay.snapshot("e", 40, 0, true, List.of(row("a", 1, 9, 9)));
    assertThat(replay.known()).isTrue();
    assertThat(replay.holes()).hasSize(1);
    assertThat(replay.holes().getFirst().toString()).startsWith("revisions 6 to 40: the store forgot them");
  }

  @Test
  void aNewEpochBeginsAnew() {
    base(500, row("a", 1, 9, 9));
    replay.reset("f", 3, 0, Reason.NEW_EPOCH);
    replay.snapshot("f", 3, 0, true, List.of(row("b", 1, 3, 3)));
    replay.changes("f", 4, 3, List.of());
    assertThat(replay.holes()).isEmpty();
    assertThat(replay.epoch()).isEqualTo("f");
    assertThat(replay.notes()).containsExactly("epoch e ends at revision 500; epoch f begins at revision 3");
    assertThat(replay.differences(List.of(row("b", 1, 3, 3)))).isEmpty();
  }

  @Test
  void aSnapshotThatWasNeverFinishedCountsForNothing() {
    base(5, row("a", 1, 2, 3));
    replay.snapshot("e", 5, 0, false, List.of(row("b", 1, 5, 5)));
    replay.changes("e", 6, 5, List.of());
    assertThat(replay.known()).isTrue();
    assertThat(replay.differences(List.of(row("a", 1, 2, 3)))).isEmpty();
  }

  @Test
  void aSnapshotThatDisagreesWithTheRecordsBeforeItIsNoted() {
    base(5, row("a", 1, 2, 3));
    replay.snapshot("e", 5, 0, true, List.of(row("a", 2, 2, 3)));
    assertThat(replay.notes()).containsExactly("the snapshot at revision 5 and the records before it differ in a");
  }

  @Test
  void aRecordThatComesTwiceIsNoted() {
    base(5);
    replay.changes("e", 6, 5, List.of());
    replay.changes("e", 6, 5, List.of());
    assertThat(replay.notes()).containsExactly("revision 6 stands behind revision 6");
  }
}
