package dev.skep.skepd.sim;

/** Bugs that can be planted, each of a kind that somebody could write. The simulator has to find every one. */
enum Mutant {
  NONE,
  /** A view misses one change in thirty. */
  MISSED_CHANGE,
  /** Commits do not compare the leader row: a fenced writer can win. */
  NO_CHAIN,
  /** The parent law is not compared: rows of removed objects appear. */
  NO_PARENT_GUARD,
  /** An address is taken for free as soon as its task is to stop. */
  ADDRESS_TOO_EARLY,
  /** Every address that is given is the first one of the subnet. */
  FIRST_ADDRESS_ALWAYS,
  /** The scheduler does not see what it placed before. */
  BLIND_PLACEMENT,
  /** A placement that was made is made again, elsewhere. */
  DOUBLE_PLACEMENT,
  /** A late report overwrites a later one. */
  STATUS_BACKWARDS,
  /** The orchestrator forgets a task now and then. */
  FORGETS_INTENT,
  /** A replacement starts before its predecessor has stopped. */
  IMPATIENT_REPLACEMENT,
  /** Intents of removed services stay. */
  NO_REMOVAL,
  /** Rows are not deleted when their parent is gone. */
  NO_SWEEP,
  /** A session is served from a view that is older than itself. */
  STALE_SESSION,
  /** The agent believes every set of assignments, however old. */
  APPLY_OLD_ASSIGNMENTS,
  /** The agent removes nothing that it finds when it starts. */
  NO_ADOPTION,
  /** Tasks are stopped while traffic still goes to them. */
  STOP_WITHOUT_WITHDRAWAL,
  /** A loop never asks again: what waits for its time waits for ever. */
  NO_WAKE,
  /** control-api takes a name without comparing that it is free. */
  NAME_TAKEN_TWICE,
  /** Another service's row is rewritten. */
  FOREIGN_ROW
}
