/** The endpoint feed between a node's agent and its edge: length-delimited messages over a unix socket. */
package dev.skep.runtime.feed;
