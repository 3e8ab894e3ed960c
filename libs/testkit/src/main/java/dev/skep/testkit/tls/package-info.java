/** Certificates for tests. */
package dev.skep.testkit.tls;
