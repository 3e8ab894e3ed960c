package dev.skep.testkit.sim;

import java.time.Duration;

/** What goes wrong, and how often. Everything is a probability per message or commit; all are off once faults have stopped. */
public final class Faults {
  /** How bad it is while it is bad. */
  public record Rates(
      double messageLost, double messageTwice, double messageSlow, double commitLost, double answerLost, double commitLate, double commitTwice,
      double viewStalls, double viewReset) {
    public static final Rates CALM = new Rates(0, 0, 0, 0, 0, 0, 0, 0, 0);
    public static final Rates ROUGH = new Rates(0.02, 0.03, 0.05, 0.01, 0.02, 0.02, 0.01, 0.03, 0.01);
    public static final Rates STORM = new Rates(0.08, 0.08, 0.15, 0.04, 0.06, 0.08, 0.03, 0.10, 0.03);
  }

  /** A commit that is reported as unknown lands at most this much later. */
  public static final Duration LATEST_COMMIT = Duration.ofSeconds(6);

  private Rates rates;

  public Faults(Rates rates) {
    this.rates = rates;
  }

  public Rates rates() {
    return rates;
  }

  public void stop() {
    rates = Rates.CALM;
  }
}
