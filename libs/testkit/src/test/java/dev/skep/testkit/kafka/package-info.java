/** The event log on Kafka against the contract, and against what brokers do to their clients. */
package dev.skep.testkit.kafka;
