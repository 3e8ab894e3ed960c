package dev.skep.runtime;

import io.prometheus.client.CollectorRegistry;

/** The process's metrics. Components register simpleclient collectors named {@code skep_<component>_…} in base units. */
public record Metrics(CollectorRegistry registry) {}
