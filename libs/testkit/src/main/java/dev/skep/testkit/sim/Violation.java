package dev.skep.testkit.sim;

/** Something happened that must never happen. */
public final class Violation extends AssertionError {
  private static final long serialVersionUID = 1;

  public Violation(String what) {
    super(what);
  }
}
