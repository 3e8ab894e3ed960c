package dev.skep.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.runtime.Component;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.Host;
import dev.skep.runtime.View;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskIntentRow;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A component of tests: every service wants three tasks, and gets them from whoever holds the loop. */
final class Deciding implements Component {
  static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int TASKS = 3;

  /** Whatever is decided twice shows as a task too many: ids are new every time. */
  private static final Decider THREE_TASKS_EACH = (state, since, tick) -> {
    Decision.Builder decision = Decision.builder();
    for (Row<ServiceRow> service : state.rows(Rows.SERVICE)) {
      String id = service.key().lastPart();
      for (int have = tasks(state, id); have < TASKS; have++) {
        decision.change(ChangeSet.about(id).present(service.key())
            .put(Rows.INTENT.key(tick.ids().next()), TaskIntentRow.newBuilder().setServiceId(id).build()));
      }
    }
    return decision.build();
  };

  private static int tasks(ClusterState state, String service) {
    int count = 0;
    for (Row<TaskIntentRow> row : state.rows(Rows.INTENT)) {
      count += row.value().getServiceId().equals(service) ? 1 : 0;
    }
    return count;
  }

  ControlLoop loop;
  ControlLoop alone;

  @Override
  public String name() {
    return "decider";
  }

  @Override
  public void start(Host host) {
    loop = host.loop("tasks", THREE_TASKS_EACH);
    alone = host.lead("alone", () -> {});
  }

  @Override
  public void stop() {
    loop.close();
    alone.close();
  }

  /** The first state of the view that is as wanted. */
  static ClusterState await(View view, String what, Predicate<ClusterState> wanted) throws Exception {
    CompletableFuture<ClusterState> found = new CompletableFuture<>();
    try (AutoCloseable listening = view.listen((state, changes, reset) -> {
      if (wanted.test(state)) {
        found.complete(state);
      }
    })) {
      assertThat(listening).isNotNull();
      return found.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).exceptionally(failure -> {
        throw new AssertionError("not seen: " + what, failure);
      }).get();
    }
  }

  /** Whose row of the loop this is, once others can call it. */
  static String holder(View view, String loop) throws Exception {
    return await(view, "a holder of " + loop, state -> held(state, loop)).value(Rows.LEADER.key(loop)).getHolder();
  }

  private static boolean held(ClusterState state, String loop) {
    LeaderRow row = state.value(Rows.LEADER.key(loop));
    return row != null && !row.getAddress().isEmpty(); // the door is open
  }

  /** As this view has it, every one of the first services gets its tasks, and no more. */
  static void decidedOnce(View view, int services) throws Exception {
    ClusterState state = await(view, "tasks of all services", now -> {
      for (int i = 1; i <= services; i++) {
        if (tasks(now, "s" + i) < TASKS) {
          return false;
        }
      }
      return true;
    });
    for (int i = 1; i <= services; i++) {
      assertThat(tasks(state, "s" + i)).as("tasks of s" + i).isEqualTo(TASKS);
    }
  }
}
