/** The store of a cluster of several machines: etcd, spoken to over its gRPC API with the stubs of jetcd. */
package dev.skep.backend.etcd;
