/** One machine: the process of control services and agent, the process of the edge, and the purge. */
package dev.skep.skepd;
