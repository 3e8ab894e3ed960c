/** Loopback ports and network namespaces for tests, and a connection that a test can hold up. */
package dev.skep.testkit.net;
