/** Who may lead where several processes share a store: this process's lease, and what is known of those that hold loops. */
package dev.skep.runtime.election;
