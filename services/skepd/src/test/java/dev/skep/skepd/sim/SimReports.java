package dev.skep.skepd.sim;

import dev.skep.backend.Store.Outcome;
import dev.skep.dispatcher.core.Registration;
import dev.skep.dispatcher.core.SessionKey;
import dev.skep.dispatcher.core.StatusRules;
import dev.skep.dispatcher.core.StatusRules.Verdict;
import dev.skep.dispatcher.v1.NodeReport;
import dev.skep.state.ChangeSet;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.testkit.sim.SimProcess;
import dev.skep.testkit.sim.SimView;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** What nodes report to one life of a dispatcher. An answer is false when the session is over; none comes while nobody knows. */
final class SimReports {
  private static final Duration RETRY = Duration.ofMillis(20);

  private final SimProcess process;
  private final SimView view;
  private final SimCommits commits;
  private final Map<String, Long> latest = new HashMap<>(); // by session

  SimReports(SimProcess process, SimView view, SimCommits commits) {
    this.process = process;
    this.view = view;
    this.commits = commits;
  }

  void update(SessionKey key, List<TaskStatusRow> rows, Consumer<Boolean> answer) {
    commits.whenShown(() -> judged(key, rows, answer));
  }

  private void judged(SessionKey key, List<TaskStatusRow> rows, Consumer<Boolean> answer) {
    switch (StatusRules.judge(view.state(), key, rows, process.now())) {
      case Verdict.SessionOver _ -> answer.accept(false);
      case Verdict.Denied denied -> {
        process.note("denies " + denied);
        answer.accept(false);
      }
      case Verdict.Accepted accepted -> written(accepted.changes(), answer, () -> update(key, rows, answer));
    }
  }

  private void written(List<ChangeSet> changes, Consumer<Boolean> answer, Runnable again) {
    if (changes.isEmpty()) {
      answer.accept(true);
      return;
    }
    commits.commit(changes, outcome -> {
      if (outcome.isPresent() && outcome.get() instanceof Outcome.Committed) {
        answer.accept(true);
      } else {
        process.after(RETRY, again);
      }
    });
  }

  /** {@code number}: calls of one connection do not overtake each other. */
  void report(SessionKey key, long number, NodeReport report, Consumer<Boolean> answer) {
    commits.whenShown(() -> {
      if (number < latest.getOrDefault(key.sessionId(), 0L)) {
        return;
      }
      latest.put(key.sessionId(), number);
      if (!key.open(view.state())) {
        answer.accept(false);
        return;
      }
      Optional<ChangeSet> change = Registration.report(view.state(), key, report, process.now());
      written(change.map(List::of).orElse(List.of()), answer, () -> report(key, number, report, answer));
    });
  }
}
