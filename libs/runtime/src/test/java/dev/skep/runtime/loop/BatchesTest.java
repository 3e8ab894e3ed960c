package dev.skep.runtime.loop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.state.ChangeSet;
import dev.skep.state.Rows;
import dev.skep.state.v1.TaskIntentRow;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BatchesTest {
  private static ChangeSet set(int number, int bytes) {
    TaskIntentRow row = TaskIntentRow.newBuilder().setRejected("x".repeat(bytes)).build();
    return ChangeSet.about("t" + number).put(Rows.INTENT.key("t" + number), row).build();
  }

  private static ChangeSet guarded(int number) {
    return ChangeSet.about("t" + number).present(Rows.SERVICE.key("s" + number)).put(Rows.INTENT.key("t" + number), TaskIntentRow.getDefaultInstance()).build();
  }

  private static List<Integer> sizes(int sets, int bytesEach) {
    return Batches.pack(IntStream.range(0, sets).mapToObj(i -> set(i, bytesEach)).toList()).stream().map(List::size).toList();
  }

  @Test
  void aTransactionIsBoundedInOperationsAndInBytes() {
    assertThat(sizes(250, 10)).containsExactly(100, 100, 50);
    assertThat(Batches.pack(IntStream.range(0, 250).mapToObj(BatchesTest::guarded).toList()).stream().map(List::size))
        .as("guards count for themselves").containsExactly(100, 100, 50);
    assertThat(sizes(5, 400_000)).containsExactly(2, 2, 1);
    assertThat(sizes(3, 2_000_000)).as("a set is never cut").containsExactly(1, 1, 1);
  }
}
