/** The allocator: subnets, network ids, gateways, virtual IPs, task addresses and dynamic ports. */
package dev.skep.allocator;
