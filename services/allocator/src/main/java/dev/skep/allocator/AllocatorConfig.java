package dev.skep.allocator;

/** The allocator has nothing to configure: the address pools are part of the cluster, the subnets of each network. */
public record AllocatorConfig() {}
