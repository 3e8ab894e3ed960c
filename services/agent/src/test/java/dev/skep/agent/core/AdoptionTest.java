package dev.skep.agent.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.agent.core.Adoption.Found;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What an agent makes of the containers that it finds. */
class AdoptionTest {
  private static final Ownership NOW = new Ownership("", "c1", "n2");

  private static Found container(String id, String cluster, String node, String instance, String task) {
    return new Found(id, Map.of(Ownership.CLUSTER, cluster, Ownership.NODE, node, Ownership.INSTANCE, instance, Ownership.TASK, task));
  }

  @Test
  void whatAnOlderIdentityLeftIsRemovedAlsoBeforeAManagerSpoke() {
    List<Found> found = List.of(
        container("mine", "c1", "n2", "", "t1"),
        container("of-the-same-host-before", "c1", "n1", "", "t1"),
        container("of-another-cluster", "c0", "n2", "", "t1"),
        container("of-another-instance", "c1", "n1", "abcd", "t1"),
        new Found("of-somebody-else", Map.of("com.docker.swarm.task.id", "t1")));
    for (boolean authoritative : new boolean[] {true, false}) {
      Adoption adoption = Adoption.of(NOW, found, Set.of("t1"), authoritative);
      assertThat(adoption.adopted()).isEqualTo(Map.of("t1", "mine"));
      assertThat(adoption.doomed()).containsExactly("of-the-same-host-before", "of-another-cluster");
      assertThat(adoption.waiting()).isEmpty();
    }
  }

  @Test
  void aTaskThatIsUnknownWaitsForAManagersWord() {
    List<Found> found = List.of(container("new", "c1", "n2", "", "t9"));
    assertThat(Adoption.of(NOW, found, Set.of(), false).waiting()).containsExactly("new");
    assertThat(Adoption.of(NOW, found, Set.of(), true).doomed()).containsExactly("new");
    assertThat(Adoption.of(NOW, found, Set.of("t9"), false).adopted()).isEqualTo(Map.of("t9", "new"));
  }
}
