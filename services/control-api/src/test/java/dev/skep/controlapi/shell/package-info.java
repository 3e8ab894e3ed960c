/** control-api as its clients see it: over real sockets, with the real docker CLI and a real engine. */
package dev.skep.controlapi.shell;
