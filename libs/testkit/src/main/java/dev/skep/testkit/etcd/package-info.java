/** Real etcd servers on loopback, to be started, stopped, frozen and killed by tests. */
package dev.skep.testkit.etcd;
