/** Users of the store and the log for a cluster's hosts and services: what they are called, what they may do, who makes them. */
package dev.skep.runtime.users;
