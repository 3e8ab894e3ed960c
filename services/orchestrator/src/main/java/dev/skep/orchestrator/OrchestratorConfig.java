package dev.skep.orchestrator;

/** The orchestrator has nothing to configure: every policy is part of the service or of the cluster's own spec. */
public record OrchestratorConfig() {}
