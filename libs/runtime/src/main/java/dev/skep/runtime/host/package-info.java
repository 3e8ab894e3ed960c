/** The hosts: a process with a store, a process without one, and what both give to their components. */
package dev.skep.runtime.host;
