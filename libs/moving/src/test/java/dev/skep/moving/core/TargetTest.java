package dev.skep.moving.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.moving.Generated;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TargetTest {
  private final Copy copy = Generated.copy(5);

  private static Stored cluster(ClusterRow row) {
    return new Stored(Rows.cluster().path(), row.toByteArray(), 9, 9);
  }

  @Test
  void whatWasCutShortIsInNobodysWay() {
    assertThat(Target.of(List.of(), copy)).isEqualTo(new Target.Vacant(List.of()));
    List<Stored> half = Filling.steps(copy).getFirst();
    assertThat(Target.of(half, copy)).isEqualTo(new Target.Vacant(half.stream().map(Stored::path).toList()));
  }

  @Test
  void aFillingFromTheSameCopyIsRecognised() {
    assertThat(Target.of(List.of(cluster(copy.reborn("new", false))), copy)).isInstanceOf(Target.Filled.class);
  }

  @Test
  void anythingElseIsLeftAlone() {
    assertThat(Target.of(List.of(cluster(copy.cluster())), copy)).isInstanceOfSatisfying(Target.Occupied.class,
        occupied -> assertThat(occupied.reason()).contains("this cluster already"));
    ClusterRow other = copy.cluster().toBuilder().setId("other").build();
    assertThat(Target.of(List.of(cluster(other)), copy)).isInstanceOfSatisfying(Target.Occupied.class,
        occupied -> assertThat(occupied.reason()).contains("other"));
    assertThat(Target.of(List.of(new Stored("registry/pods/x", new byte[0], 1, 1)), copy)).isInstanceOfSatisfying(Target.Occupied.class,
        occupied -> assertThat(occupied.reason()).contains("registry/pods/x"));
  }
}
