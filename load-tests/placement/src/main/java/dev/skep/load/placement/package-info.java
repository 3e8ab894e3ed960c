/** Placement decisions through the real control path on etcd and Kafka, beside the embedded form and beside bare etcd. */
package dev.skep.load.placement;
