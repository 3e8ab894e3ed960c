/** An etcd and a Kafka broker that let nobody in without TLS, a user and a right, as a deployment has them. */
package dev.skep.testkit.secured;
