/** Faults of real etcd, Kafka and control services, injected while services are created, scaled and removed. */
package dev.skep.skepd.faults;
