package dev.skep.relay.core;

/** Why the log begins anew with a snapshot. */
public enum Reason {
  /** It was empty. */
  FIRST,
  /** It ends with another life of the cluster: this one was restored, migrated or made anew. */
  NEW_EPOCH,
  /** The store forgot revisions that the log does not have. */
  COMPACTED
}
