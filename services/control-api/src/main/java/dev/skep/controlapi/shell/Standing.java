package dev.skep.controlapi.shell;

import dev.skep.runtime.Membership;

/** What this host is to a cluster, which decides who answers swarm's routes: docs/NODES.md, "What runs where". */
sealed interface Standing {
  /** In no cluster. */
  record Outside() implements Standing {}

  /** Its agent takes orders; the cluster's state is elsewhere. */
  record Worker(Membership.Identity identity) implements Standing {}

  /** The cluster's state is here. */
  record Managing(Membership.Identity identity) implements Standing {}
}
