package dev.skep.skepd.sim;

/** Bugs that can be planted, each of a kind that somebody could write. The simulator has to find every one. */
enum Mutant {
  NONE,
  /** A view misses one change in thirty. */
  MISSED_CHANGE,
  /** Commits of a loop do not compare the leader row: a fenced writer can win. */
  NO_CHAIN,
  /** Nobody compares that the parent is there: services land on networks that were removed meanwhile. */
  NO_PARENT_GUARD,
  /** An address is taken for free as soon as its task is to stop. */
  ADDRESS_TOO_EARLY,
  /** Every task is given the same address of its subnet. */
  FIRST_ADDRESS_ALWAYS,
  /** The scheduler does not count what stands on a node already. */
  BLIND_PLACEMENT,
  /** A task that has not reported yet is placed again. */
  DOUBLE_PLACEMENT,
  /** A status is written without comparing the one before it. */
  STATUS_BACKWARDS,
  /** The orchestrator forgets a running task now and then. */
  FORGETS_INTENT,
  /** A replacement starts before its predecessor has stopped. */
  IMPATIENT_REPLACEMENT,
  /** Tasks of removed services stay. */
  NO_REMOVAL,
  /** Rows are not deleted when their parent is gone. */
  NO_SWEEP,
  /** The agent believes every set of assignments, however old, and the dispatcher serves from whatever it has. */
  APPLY_OLD_ASSIGNMENTS,
  /** The agent takes a difference for all that it should have. */
  DIFFERENCE_TAKEN_FOR_ALL,
  /** The agent removes nothing that it finds on its engine. */
  NO_ADOPTION,
  /** Tasks are stopped while traffic still goes to them. */
  STOP_WITHOUT_WITHDRAWAL,
  /** A loop never asks again: what waits for its time waits for ever. */
  NO_WAKE,
  /** control-api takes a name without comparing that it is free. */
  NAME_TAKEN_TWICE,
  /** The scheduler rewrites a row of the orchestrator. */
  FOREIGN_ROW,
  /** The judge takes its own sleep for the nodes' silence. */
  JUDGE_IGNORES_LATENESS,
  /** Nodes that are only suspect are replaced like dead ones. */
  SUSPECT_TAKEN_FOR_DEAD,
  /** The agent believes the first set that takes away most of what runs. */
  NO_SECOND_LOOK,
  /** A node's gateway is given up while the node still has its bridge. */
  GATEWAY_TOO_EARLY,
  /** A node under a new identity leaves the containers of the older one running. */
  WIPED_NODE_KEEPS_OLD,
  /** The agent does not keep its assignments: after a reboot without a manager it knows nothing. */
  SET_NOT_KEPT,
  /** The agent does not keep the feed. */
  FEED_NOT_KEPT,
  /** Whoever asks may register, also a node that was removed. */
  REMOVED_NODE_REGISTERS,
  /** A task with a health check runs as soon as its container does. */
  HEALTH_NOT_AWAITED,
  /** The dispatcher tells nodes what a restored store says before anybody has confirmed it. */
  RESTORE_NOT_AWAITED,
  /** The scheduler does not look at constraints. */
  CONSTRAINTS_IGNORED,
  /** A dispatcher writes without comparing that it still holds the node's session. */
  SESSION_NOT_COMPARED,
  /** A dispatcher judges nodes whose session is with another one. */
  JUDGES_OTHERS,
  /** A dispatcher takes it that the nodes of the others have applied everything. */
  NEWS_BELIEVED_BLINDLY,
  /** A dispatcher that has lost the store does not say so to its nodes. */
  LOST_STORE_UNTOLD,
  /** A relay that claims the log goes on from where it remembers to have been, not from where the log ends. */
  RELAY_FROM_MEMORY,
  /** The log takes what an earlier relay appends. */
  LOG_FENCES_NOBODY,
  /** A view that follows the log applies records that do not go on from where it is. */
  LOG_GAP_TAKEN,
  /** Who wins a loop decides first on the view that it had as a standby some time ago. */
  STANDBY_WITH_OLD_VIEW,
  /** Loops decide about a restored cluster before anybody has confirmed it. */
  LOOPS_ACT_UNCONFIRMED,
  /** A store that was filled from a copy keeps the epoch of the one before. */
  MOVED_UNDER_OLD_EPOCH
}
