/** The gRPC side of the dispatcher: sessions, streams, writes to the store and log readers around the decisions of core. */
package dev.skep.dispatcher.shell;
