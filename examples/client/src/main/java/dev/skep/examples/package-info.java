/** A client of the gRPC API, small enough to copy. */
package dev.skep.examples;
