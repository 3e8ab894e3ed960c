package dev.skep.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** One writer per row, as the store's users see it. */
class StoreRoleTest {
  private static List<StoreRole> writersOf(String path) {
    return Arrays.stream(StoreRole.values()).filter(role -> role.mayWrite(path)).toList();
  }

  @Test
  void everyRowHasOneWriter() {
    for (RowKind<?> kind : Rows.all()) {
      if (kind != Rows.LEADER) {
        assertThat(writersOf(kind.prefix() + "x")).as(kind.prefix()).hasSize(1);
      }
    }
    for (String loop : List.of("orchestrator", "allocator", "scheduler", "dispatcher", "liveness", "relay")) {
      assertThat(writersOf(Rows.LEADER.key(loop).path())).as(loop).hasSize(1);
    }
    assertThat(writersOf(Rows.LEADER.key("another").path())).isEmpty();
    assertThat(writersOf(Rows.LEADER.key("relay").path() + "x")).as("a key is not a prefix").isEmpty();
  }

  @Test
  void whatIsSealedIsReadByTwo() {
    Set<StoreRole> openers = Set.of(StoreRole.CONTROL_API, StoreRole.DISPATCHER);
    for (StoreRole role : StoreRole.values()) {
      assertThat(role.mayRead(Rows.SEALED.key("ca", "key").path())).as(role.service()).isEqualTo(openers.contains(role));
      assertThat(role.mayRead(Rows.INTENT.key("x").path())).as(role.service()).isTrue();
    }
  }
}
