/** Sockets: the server for containers, and the forwarder to other resolvers. */
package dev.skep.dns.shell;
