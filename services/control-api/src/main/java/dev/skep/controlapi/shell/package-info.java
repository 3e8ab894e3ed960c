/** control-api's side of the world: handlers of routes, commits, events, logs and the gRPC service. */
package dev.skep.controlapi.shell;
