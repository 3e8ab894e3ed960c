/** The one door for nodes: sessions, assignments, observed states, liveness, the endpoint feed and logs. */
package dev.skep.dispatcher;
