package dev.skep.runtime.loop;

import dev.skep.runtime.Metrics;
import io.prometheus.client.Counter;
import io.prometheus.client.Gauge;
import io.prometheus.client.Histogram;

/** What all loops of a process tell, by loop name. */
public final class LoopMetrics {
  private static final double[] SECONDS = {0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5};

  private final Counter decisions = Counter.build("skep_loop_decisions_total", "Times the decider was asked.").labelNames("loop").create();
  private final Counter commits = Counter.build("skep_loop_commits_total", "Commits that landed.").labelNames("loop").create();
  private final Counter conflicts = Counter.build("skep_loop_conflicts_total", "Commits that met a conflict.").labelNames("loop").create();
  private final Counter unknown = Counter.build("skep_loop_unknown_total", "Commits of unknown fate.").labelNames("loop").create();
  private final Gauge quarantined = Gauge.build("skep_loop_quarantined_objects", "Objects passed over.").labelNames("loop").create();
  private final Gauge leading = Gauge.build("skep_loop_leading", "1 while this process holds the loop.").labelNames("loop").create();
  private final Histogram decide =
      Histogram.build("skep_loop_decide_seconds", "Time to decide.").labelNames("loop").buckets(SECONDS).create();
  private final Histogram commit =
      Histogram.build("skep_loop_commit_seconds", "Time to commit.").labelNames("loop").buckets(SECONDS).create();

  public LoopMetrics(Metrics metrics) {
    metrics.registry().register(decisions);
    metrics.registry().register(commits);
    metrics.registry().register(conflicts);
    metrics.registry().register(unknown);
    metrics.registry().register(quarantined);
    metrics.registry().register(leading);
    metrics.registry().register(decide);
    metrics.registry().register(commit);
  }

  /** The figures of one loop. */
  final class OfLoop {
    private final Counter.Child myDecisions;
    private final Counter.Child myCommits;
    private final Counter.Child myConflicts;
    private final Counter.Child myUnknown;
    private final Gauge.Child myQuarantined;
    private final Gauge.Child myLeading;
    private final Histogram.Child myDecide;
    private final Histogram.Child myCommit;
    private LoopCore.Counts before = new LoopCore.Counts(0, 0, 0);

    OfLoop(String loop) {
      myDecisions = decisions.labels(loop);
      myCommits = commits.labels(loop);
      myConflicts = conflicts.labels(loop);
      myUnknown = unknown.labels(loop);
      myQuarantined = quarantined.labels(loop);
      myLeading = leading.labels(loop);
      myDecide = decide.labels(loop);
      myCommit = commit.labels(loop);
    }

    void stepped(LoopCore core, long nanos) {
      LoopCore.Counts counts = core.counts();
      if (counts.decisions() > before.decisions()) {
        myDecide.observe(nanos / 1e9);
        myDecisions.inc(counts.decisions() - before.decisions());
      }
      myCommits.inc(counts.commits() - before.commits());
      myConflicts.inc(counts.conflicts() - before.conflicts());
      myQuarantined.set(core.quarantined().size());
      before = counts;
    }

    void committed(long nanos) {
      myCommit.observe(nanos / 1e9);
    }

    void leads(boolean now) {
      myLeading.set(now ? 1 : 0);
    }

    void unknown() {
      myUnknown.inc();
    }
  }
}
