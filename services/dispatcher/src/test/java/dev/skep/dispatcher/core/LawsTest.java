package dev.skep.dispatcher.core;

import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.SessionRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.testkit.gen.Clusters;
import dev.skep.testkit.gen.StateBuilder;
import dev.skep.testkit.laws.DeciderLaws;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Tasks of nodes that are gone or silent for a day, and rows whose parent is gone. */
final class LawsTest {
  private static final int SEEDS = Integer.getInteger("skep.seeds", 800);

  @Test
  void holdForOrphans() {
    DeciderLaws laws = new DeciderLaws("orphans", new Orphans());
    for (long seed = 0; seed < SEEDS; seed++) {
      laws.check(seed, Clusters.generate(seed), LawsTest::disturb, 6, Clusters.START);
    }
  }

  private static void disturb(StateBuilder cluster, Random random, Instant now) {
    Clusters.users(cluster, random, now);
    Clusters.placing(cluster, random, now);
    Clusters.nodes(cluster, random, now);
    cluster.state().rows(Rows.NODE_STATUS).forEach(row -> {
      if (random.nextInt(3) == 0) {
        Instant since = now.minus(Orphans.NODE_DOWN).plus(Duration.ofSeconds(random.nextInt(20)));
        cluster.put(Rows.NODE_STATUS.key(row.key().lastPart()), row.value().toBuilder().setUpdatedAt(Stamp.of(since)).build());
      }
    });
    for (Row<TaskIntentRow> intent : cluster.state().rows(Rows.INTENT)) {
      if (random.nextInt(8) == 0) {
        cluster.delete(intent.key());
      }
    }
    String node = "node" + random.nextInt(5);
    cluster.put(Rows.SESSION.key(node), SessionRow.newBuilder().build());
  }
}
