package dev.skep.runtime.view;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.runtime.view.Following.Fate;
import dev.skep.state.ClusterState;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import java.util.List;
import org.junit.jupiter.api.Test;

class FollowingTest {
  private static final ClusterState STATE = ClusterState.empty()
      .apply(7, List.of(new Stored(Rows.cluster().path(), ClusterRow.newBuilder().setEpoch("one").build().toByteArray(), 7, 7))).state();

  @Test
  void theRecordThatGoesOnFromTheViewIsApplied() {
    assertThat(Following.fate(STATE, "one", 8, 7)).isEqualTo(Fate.NEXT);
    assertThat(Following.fate(STATE, "one", 12, 7)).isEqualTo(Fate.NEXT); // the store has revisions that change nothing
  }

  @Test
  void oneThatLeavesSomethingOutIsNot() {
    assertThat(Following.fate(STATE, "one", 9, 8)).isEqualTo(Fate.GAP);
    assertThat(Following.fate(STATE, "one", 9, 3)).isEqualTo(Fate.GAP);
  }

  @Test
  void whatTheViewHasIsKnown() {
    assertThat(Following.fate(STATE, "one", 7, 6)).isEqualTo(Fate.KNOWN);
    assertThat(Following.fate(STATE, "one", 3, 2)).isEqualTo(Fate.KNOWN);
  }

  @Test
  void aLogThatBeginsWithASnapshotBringsNothingToAViewThatIsBehindIt() {
    assertThat(Following.fate(STATE, "one", 7, 7)).isEqualTo(Fate.KNOWN);
    assertThat(Following.fate(STATE, "one", 9, 9)).isEqualTo(Fate.GAP);
  }

  @Test
  void anotherEpochIsForeignWhateverItsRevision() {
    assertThat(Following.fate(STATE, "two", 8, 7)).isEqualTo(Fate.FOREIGN);
    assertThat(Following.fate(STATE, "two", 3, 2)).isEqualTo(Fate.FOREIGN);
  }

  @Test
  void aViewWithoutAClusterTakesTheOneThatBegins() {
    assertThat(Following.fate(ClusterState.empty(), "one", 1, 0)).isEqualTo(Fate.NEXT);
  }
}
