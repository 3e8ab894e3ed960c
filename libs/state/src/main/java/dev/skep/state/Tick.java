package dev.skep.state;

import java.time.Instant;

/** All that a decision may know besides the state: the time, and where fresh ids come from. */
public record Tick(Instant now, IdSource ids) {}
