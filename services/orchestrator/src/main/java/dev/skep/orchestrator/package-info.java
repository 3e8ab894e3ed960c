/** The orchestrator: turns services into task intents and keeps as many running as were asked for. */
package dev.skep.orchestrator;
