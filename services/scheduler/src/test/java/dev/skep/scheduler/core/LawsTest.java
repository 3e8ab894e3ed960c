package dev.skep.scheduler.core;

import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.TaskAddressRow;
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
    DeciderLaws laws = new DeciderLaws("scheduler", new SchedulerDecider());
    for (long seed = 0; seed < SEEDS; seed++) {
      laws.check(seed, Clusters.generate(seed), LawsTest::disturb, 6, Clusters.START);
    }
  }

  private static void disturb(StateBuilder cluster, Random random, Instant now) {
    Clusters.users(cluster, random, now);
    Clusters.tasks(cluster, random, now);
    address(cluster, random);
    Clusters.nodes(cluster, random, now);
  }

  /** What the allocator does. */
  private static void address(StateBuilder cluster, Random random) {
    List<String> waiting = new ArrayList<>();
    TaskRecord.forEach(cluster.state(), task -> {
      if (!task.addressed() && random.nextBoolean()) {
        waiting.add(task.id());
      }
    });
    waiting.forEach(taskId -> cluster.put(Rows.ADDRESS.key(taskId), TaskAddressRow.newBuilder().setTaskId(taskId).build()));
  }
}
