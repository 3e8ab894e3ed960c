package dev.skep.moving;

import com.google.protobuf.Message;
import dev.skep.moving.core.Copy;
import dev.skep.moving.core.Verdict;
import dev.skep.state.ClusterState;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Row;
import dev.skep.state.RowKind;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.DispatcherRow;
import dev.skep.state.v1.LeaderRow;
import dev.skep.state.v1.SessionRow;
import dev.skep.testkit.gen.Clusters;
import dev.skep.testkit.gen.StateBuilder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Whole stores by seed, with rows of running processes in them. */
public final class Generated {
  public static final Instant NOW = Instant.parse("2026-02-03T04:05:06Z");
  public static final String CLUSTER = "cluster1";
  public static final String NODE = "node0";

  private Generated() {}

  public static ClusterState state(long seed) {
    StateBuilder builder = Clusters.generate(seed);
    ClusterRow cluster = builder.state().value(Rows.cluster());
    builder.put(Rows.cluster(), cluster.toBuilder().setId(CLUSTER).setEpoch("epoch" + seed).build());
    builder.put(Rows.LEADER.key("orchestrator"), LeaderRow.newBuilder().setHolder("h").build());
    builder.put(Rows.PEER.key("dispatcher"), DispatcherRow.newBuilder().setId("dispatcher").build());
    builder.put(Rows.SESSION.key(NODE), SessionRow.newBuilder().setNodeId(NODE).setSessionId("s").build());
    return builder.state();
  }

  public static List<Stored> rows(ClusterState state) {
    List<Stored> rows = new ArrayList<>();
    Rows.all().forEach(kind -> add(state, kind, rows));
    return rows;
  }

  private static <T extends Message> void add(ClusterState state, RowKind<T> kind, List<Stored> rows) {
    for (Row<T> row : state.rows(kind)) {
      rows.add(new Stored(row.key().path(), row.value().toByteArray(), row.createRevision(), row.modRevision()));
    }
  }

  public static Copy copy(long seed) {
    ClusterState state = state(seed);
    return good(Copy.of(state.revision(), rows(state), NOW));
  }

  public static <T> T good(Verdict<T> verdict) {
    return switch (verdict) {
      case Verdict.Good<T>(T value) -> value;
      case Verdict.Refused<T>(String reason) -> throw new AssertionError(reason);
    };
  }

  public static String refusal(Verdict<?> verdict) {
    return verdict instanceof Verdict.Refused<?>(String reason) ? reason : "not refused";
  }
}
