package dev.skep.skepd.sim;

/** What a node's beat is answered. */
enum Reply {
  STAY,
  /** Go on, and look for another dispatcher: this one has lost the store. */
  LOST,
  /** No such session here. */
  OVER
}
