package dev.skep.dispatcher;

import java.time.Duration;

/**
 * How the dispatcher runs. Heartbeats, suspicion and grace are settings of the cluster and not of a process.
 *
 * @param agentInProcess this node's own agent runs in this process: its silence is never taken for its death, not even
 *     before it registers
 * @param storePatience how long a write waits for the store and for the view to show it before the node is told UNAVAILABLE
 * @param maxPendingWrites reports that may wait for the store; beyond, nodes are told UNAVAILABLE
 * @param maxEvents inputs that may wait for the dispatcher's thread; beyond, callers wait
 * @param maxPendingMoves revisions that may wait for it; beyond, it looks at the whole state again
 * @param maxLogReaders open log requests
 * @param logBatches batches of log lines that may wait for one slow reader before the nodes are held up
 */
public record DispatcherConfig(
    boolean agentInProcess,
    Duration storePatience,
    int maxPendingWrites,
    int maxEvents,
    int maxPendingMoves,
    int maxLogReaders,
    int logBatches) {
  /** Of a dispatcher in a process of its own. */
  public static DispatcherConfig alone() {
    DispatcherConfig otherwise = defaults();
    return new DispatcherConfig(
        false, otherwise.storePatience, otherwise.maxPendingWrites, otherwise.maxEvents, otherwise.maxPendingMoves, otherwise.maxLogReaders,
            otherwise.logBatches);
  }

  public static DispatcherConfig defaults() {
    return new DispatcherConfig(true, Duration.ofSeconds(10), 8_192, 16_384, 4_096, 256, 64);
  }
}
