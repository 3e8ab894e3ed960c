package dev.skep.moving.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.moving.Generated;
import dev.skep.state.ClusterState;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class CopyTest {
  private static final int SEEDS = 100;

  @Test
  void holdsEverythingButWhatIsOfProcesses() {
    for (long seed = 0; seed < SEEDS; seed++) {
      ClusterState state = Generated.state(seed);
      List<Stored> all = Generated.rows(state);
      Collections.shuffle(all, new Random(seed));
      Copy copy = Generated.good(Copy.of(state.revision(), all, Generated.NOW));
      List<String> wanted = all.stream().map(Stored::path)
          .filter(path -> !path.startsWith(Rows.LEADER.prefix()) && !path.startsWith(Rows.SESSION.prefix()) && !path.startsWith(Rows.PEER.prefix()))
          .sorted().toList();
      assertThat(copy.rows()).as("seed %d", seed).extracting(Stored::path).containsExactlyElementsOf(wanted);
      assertThat(copy.state().size()).isEqualTo(state.size() - 3);
    }
  }

  @Test
  void theDigestTellsAnyTwoContentsApart() {
    for (long seed = 0; seed < SEEDS; seed++) {
      Copy copy = Generated.copy(seed);
      Random random = new Random(seed);
      List<Stored> shuffled = new ArrayList<>(copy.rows());
      Collections.shuffle(shuffled, random);
      assertThat(new Copy(copy.revision(), Generated.NOW, shuffled).digest()).as("in which order does not count").isEqualTo(copy.digest());
      assertThat(new Copy(7, Generated.NOW.plusSeconds(1), copy.rows()).digest()).as("when and at which revision does not count").isEqualTo(copy.digest());
      List<Stored> others = new ArrayList<>(copy.rows());
      others.removeIf(row -> row.path().equals(Rows.cluster().path()));
      Stored changed = others.get(random.nextInt(others.size()));
      List<Stored> without = copy.rows().stream().filter(row -> row != changed).toList();
      assertThat(new Copy(copy.revision(), Generated.NOW, without).digest()).as("seed %d lost %s", seed, changed.path()).isNotEqualTo(copy.digest());
      byte[] value = java.util.Arrays.copyOf(changed.value(), changed.value().length + 1);
      List<Stored> altered = copy.rows().stream().map(row -> row == changed ? new Stored(row.path(), value, row.createRevision(), row.modRevision()) : row).toList();
      assertThat(new Copy(copy.revision(), Generated.NOW, altered).digest()).as("seed %d changed %s", seed, changed.path()).isNotEqualTo(copy.digest());
    }
  }

  @Test
  void aStoreWithoutAClusterIsRefused() {
    List<Stored> rows = Generated.rows(Generated.state(1)).stream().filter(row -> !row.path().equals(Rows.cluster().path())).toList();
    assertThat(Generated.refusal(Copy.of(1, rows, Generated.NOW))).contains("no cluster");
    assertThat(Generated.refusal(Copy.of(1, List.of(), Generated.NOW))).contains("no cluster");
  }

  @Test
  void aRowThatNobodyKnowsIsRefusedByName() {
    List<Stored> rows = new ArrayList<>(Generated.rows(Generated.state(1)));
    rows.add(new Stored("state/tomorrow/x", new byte[0], 1, 1));
    assertThat(Generated.refusal(Copy.of(1, rows, Generated.NOW))).contains("state/tomorrow/x");
  }

  @Test
  void theNewLifeHasAnotherEpochAndKnowsWhereItIsFrom() {
    Copy copy = Generated.copy(3);
    ClusterRow reborn = copy.reborn("fresh", true);
    assertThat(reborn.getEpoch()).isEqualTo("fresh");
    assertThat(reborn.getId()).isEqualTo(Generated.CLUSTER);
    assertThat(reborn.getOrigin().getEpoch()).isEqualTo("epoch3");
    assertThat(reborn.getOrigin().getUnconfirmed()).isTrue();
    assertThat(copy.filled(reborn)).isTrue();
    assertThat(copy.filled(copy.cluster())).isFalse();
    assertThat(new Copy(copy.revision() + 1, Generated.NOW, copy.rows()).filled(reborn)).as("the source went on").isFalse();
  }
}
