/** The allocator's decisions, as pure functions of the cluster's state. */
package dev.skep.allocator.core;
