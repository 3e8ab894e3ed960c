/** A real Kafka broker for tests, in a process of its own. */
package dev.skep.testkit.kafka;
