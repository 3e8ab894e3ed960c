package dev.skep.relay.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.state.ClusterState;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.LeaderRow;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TenureTest {
  private static final LeaderRow ME = LeaderRow.newBuilder().setHolder("me").build();
  private static final LeaderRow OTHER = LeaderRow.newBuilder().setHolder("other").build();

  private static ClusterState state(LeaderRow row, boolean cluster) {
    List<Stored> rows = new ArrayList<>();
    if (row != null) {
      rows.add(new Stored(Tenure.ROW.path(), row.toByteArray(), 1, 1));
    }
    if (cluster) {
      rows.add(new Stored(Rows.cluster().path(), ClusterRow.getDefaultInstance().toByteArray(), 1, 1));
    }
    return ClusterState.empty().apply(1, rows).state();
  }

  @Test
  void beginsWithTheFirstDecisionAndEndsWhenTheRowIsAnothers() {
    assertThat(Tenure.NONE.held()).isFalse();
    Tenure mine = Tenure.NONE.won(state(ME, true));
    assertThat(mine.held()).isTrue();
    assertThat(mine.won(state(ME, true))).isEqualTo(mine);
    assertThat(mine.seen(state(ME, true))).isEqualTo(mine);
    assertThat(mine.seen(state(OTHER, true)).held()).isFalse();
    assertThat(Tenure.NONE.seen(state(ME, true)).held()).as("nobody told us that we are that one").isFalse();
  }

  @Test
  void endsWhenTheRowIsGoneOrTheCluster() {
    Tenure mine = Tenure.NONE.won(state(ME, true));
    assertThat(mine.seen(state(null, true)).held()).isFalse();
    assertThat(mine.seen(state(ME, false)).held()).isFalse();
  }

  @Test
  void theStoresWordCounts() {
    assertThat(Tenure.NONE.confirmed(ME).held()).isFalse();
    Tenure mine = Tenure.NONE.won(state(ME, true));
    assertThat(mine.confirmed(ME).held()).isTrue();
    assertThat(mine.confirmed(OTHER).held()).isFalse();
    assertThat(mine.confirmed(null).held()).isFalse();
  }
}
