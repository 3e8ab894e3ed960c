package dev.skep.relay.core;

import java.time.Instant;

/**
 * Where the log ends.
 *
 * @param epoch of its last entry; empty when it has none
 * @param whole whether a replay of it can begin somewhere
 * @param based when its newest complete snapshot was written
 */
public record LogEnd(String epoch, long revision, boolean whole, Instant based) {}
