package dev.skep.allocator.core;

import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.PlacementRow;
import dev.skep.testkit.gen.Clusters;
import dev.skep.testkit.gen.StateBuilder;
import dev.skep.testkit.laws.DeciderLaws;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class LawsTest {
  private static final int SEEDS = Integer.getInteger("skep.seeds", 1_000);

  @Test
  void holdOnGeneratedStates() {
    DeciderLaws laws = new DeciderLaws("allocator", new AllocatorDecider());
    for (long seed = 0; seed < SEEDS; seed++) {
      laws.check(seed, Clusters.generate(seed), LawsTest::disturb, 6, Clusters.START);
    }
  }

  private static void disturb(StateBuilder cluster, Random random, Instant now) {
    Clusters.users(cluster, random, now);
    Clusters.tasks(cluster, random, now);
    placeAddressed(cluster, random);
    Clusters.nodes(cluster, random, now);
  }

  /** What the scheduler does: only addressed tasks are placed. */
  private static void placeAddressed(StateBuilder cluster, Random random) {
    List<String> waiting = new ArrayList<>();
    TaskRecord.forEach(cluster.state(), task -> {
      if (task.addressed() && task.nodeId().isEmpty() && random.nextBoolean()) {
        waiting.add(task.id());
      }
    });
    for (String taskId : waiting) {
      String node = "node" + random.nextInt(4);
      cluster.put(Rows.PLACEMENT.key(taskId), PlacementRow.newBuilder().setTaskId(taskId).setNodeId(node).build());
    }
    for (Row<PlacementRow> placement : cluster.state().rows(Rows.PLACEMENT)) {
      if (!cluster.state().has(Rows.INTENT.key(placement.key().lastPart()))) {
        cluster.delete(placement.key());
      }
    }
  }
}
