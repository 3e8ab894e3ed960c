/** control-api: the Docker Engine API and the gRPC service Control, and what they ask written into the store. */
package dev.skep.controlapi;
