/** The event log of a cluster as a Kafka topic: the one place that knows Kafka. */
package dev.skep.backend.kafka;
