package dev.skep.scheduler.core;

import java.util.Comparator;

/** Which of two fitting nodes is the better one: fewer recent failures, then fewer tasks of the service, then fewer tasks. */
final class Ranking {
  /** Below so many failures a node is not held to blame. */
  private static final int MANY_FAILURES = 5;

  private Ranking() {}

  static Comparator<Candidate> of(Demand demand) {
    return Comparator.comparingInt((Candidate candidate) -> blame(candidate, demand))
        .thenComparingInt(candidate -> candidate.liveOf(demand.serviceId()))
        .thenComparingInt(Candidate::live)
        .thenComparing(Candidate::id);
  }

  private static int blame(Candidate candidate, Demand demand) {
    int failures = candidate.failuresOf(demand);
    return failures >= MANY_FAILURES ? failures : 0;
  }
}
