/** The HTTP/1.1 front door: sockets, heads, bodies, replies and byte-level relaying, on virtual threads. */
package dev.skep.controlapi.shell.http;
