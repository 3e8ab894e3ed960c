/** Listeners, connections and flows on Netty's event loops. */
package dev.skep.ingress.shell;
