package dev.skep.scheduler;

/** The scheduler has nothing to configure: what a task asks for is part of its service. */
public record SchedulerConfig() {}
