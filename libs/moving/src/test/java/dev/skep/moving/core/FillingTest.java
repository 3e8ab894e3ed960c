package dev.skep.moving.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.skep.moving.Generated;
import dev.skep.state.ClusterState;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.SealedRow;
import dev.skep.state.v1.TaskIntentRow;
import java.util.List;
import org.junit.jupiter.api.Test;

final class FillingTest {
  private static final int SEEDS = 100;

  /** Carries out the steps as a store would. */
  private static ClusterState filled(Copy copy) {
    ClusterState state = ClusterState.empty();
    for (List<Stored> step : Filling.steps(copy)) {
      long revision = state.revision() + 1;
      state = state.apply(revision, step.stream().map(row -> new Stored(row.path(), row.value(), revision, revision)).toList()).state();
    }
    return state;
  }

  @Test
  void everyRowButTheClustersOwnComesOnceInStepsThatFitAnyStore() {
    for (long seed = 0; seed < SEEDS; seed++) {
      Copy copy = Generated.copy(seed);
      List<List<Stored>> steps = Filling.steps(copy);
      assertThat(steps).allSatisfy(step -> assertThat(step).isNotEmpty().hasSizeLessThanOrEqualTo(Filling.MOST_ROWS));
      assertThat(steps.stream().flatMap(List::stream).map(Stored::path).sorted().toList()).as("seed %d", seed)
          .containsExactlyElementsOf(copy.rows().stream().map(Stored::path).filter(path -> !path.equals(Rows.cluster().path())).toList());
    }
  }

  @Test
  void theTasksOfASlotKeepTheirOrder() {
    for (long seed = 0; seed < SEEDS; seed++) {
      Copy copy = Generated.copy(seed);
      ClusterState before = copy.state();
      ClusterState after = filled(copy);
      for (Row<TaskIntentRow> one : before.rows(Rows.INTENT)) {
        for (Row<TaskIntentRow> other : before.rows(Rows.INTENT)) {
          boolean sameSlot = one.value().getServiceId().equals(other.value().getServiceId())
              && TaskRecord.slotOf(one.value()).equals(TaskRecord.slotOf(other.value()));
          if (sameSlot && one.createRevision() < other.createRevision()) {
            assertThat(after.row(one.key()).createRevision()).as("seed %d: %s before %s", seed, one.key(), other.key())
                .isLessThan(after.row(other.key()).createRevision());
          }
        }
      }
    }
  }

  @Test
  void largeRowsGoInSmallSteps() {
    Copy copy = Generated.copy(1);
    byte[] large = SealedRow.newBuilder().setCiphertext(ByteString.copyFrom(new byte[Filling.MOST_BYTES / 3])).build().toByteArray();
    List<Stored> rows = new java.util.ArrayList<>(copy.rows());
    for (int i = 0; i < 10; i++) {
      rows.add(new Stored("sealed/object/x/" + i, large, i + 1, i + 1));
    }
    List<List<Stored>> steps = Filling.steps(new Copy(copy.revision(), copy.copiedAt(), rows));
    assertThat(steps).allSatisfy(step ->
        assertThat(step.stream().mapToInt(row -> row.value().length).sum()).isLessThanOrEqualTo(Filling.MOST_BYTES));
  }
}
