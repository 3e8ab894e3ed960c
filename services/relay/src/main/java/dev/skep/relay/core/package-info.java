/** What to append next, when to begin anew, what the store may forget, and what a replay of the log makes. */
package dev.skep.relay.core;
