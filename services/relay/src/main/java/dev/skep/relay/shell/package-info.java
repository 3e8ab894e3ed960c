/** The relay's threads and I/O: the store's watch, the log's writer, the leader's mandate, metrics, and the replay command. */
package dev.skep.relay.shell;
