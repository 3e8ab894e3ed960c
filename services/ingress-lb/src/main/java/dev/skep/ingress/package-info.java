/** The ingress: a published port, open on every node, to the healthy tasks of its service. */
package dev.skep.ingress;
