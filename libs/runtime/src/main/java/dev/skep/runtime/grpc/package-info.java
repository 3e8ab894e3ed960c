/** gRPC between services: in-process servers and channels by component name, and who the caller of an RPC is. */
package dev.skep.runtime.grpc;
