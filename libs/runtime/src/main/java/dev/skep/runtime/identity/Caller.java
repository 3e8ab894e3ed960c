package dev.skep.runtime.identity;

/** Who asks, as the edge that took the call has proven it. */
public sealed interface Caller {
  /** A service of the same process. Only the in-process server produces it; no network server can. */
  record InProcess() implements Caller {}

  /** A node with a certificate of the cluster. */
  record Node(String nodeId, NodeRole role) implements Caller {}

  /** A program with an API client certificate, or one that may open the API's unix socket. */
  record ApiClient(String name) implements Caller {}

  /** Somebody on the network who has proven nothing: a machine that wants to become a node has no certificate yet. */
  record Stranger() implements Caller {}
}
