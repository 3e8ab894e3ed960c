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

  private final Tenure tenure = new Tenure();

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
    assertThat(tenure.held()).isFalse();
    assertThat(tenure.won(state(ME, true))).isTrue();
    assertThat(tenure.held()).isTrue();
    assertThat(tenure.won(state(ME, true))).isFalse();
    assertThat(tenure.seen(state(ME, true))).isFalse();
    assertThat(tenure.seen(state(OTHER, true))).isTrue();
    assertThat(tenure.held()).isFalse();
    assertThat(tenure.seen(state(OTHER, true))).isFalse();
  }

  @Test
  void endsWhenTheRowIsGoneOrTheCluster() {
    tenure.won(state(ME, true));
    assertThat(tenure.seen(state(null, true))).isTrue();
    tenure.won(state(ME, true));
    assertThat(tenure.seen(state(ME, false))).isTrue();
  }

  @Test
  void theStoresWordCounts() {
    assertThat(tenure.confirmed(ME)).isFalse(); // nobody told us that we are that one
    tenure.won(state(ME, true));
    assertThat(tenure.confirmed(ME)).isTrue();
    assertThat(tenure.confirmed(OTHER)).isFalse();
    assertThat(tenure.held()).isFalse();
    tenure.won(state(ME, true));
    assertThat(tenure.confirmed(null)).isFalse();
    assertThat(tenure.held()).isFalse();
  }
}
