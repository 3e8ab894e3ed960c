package dev.skep.dispatcher.core;

import java.time.Instant;

/**
 * The last sign of life of a node that registered with this dispatcher.
 *
 * @param inProcess the node's agent runs in this process: its silence cannot mean that the node is dead, because then nobody
 *     would judge
 */
public record Heard(Instant at, boolean inProcess) {}
