/** The agent of a node: what the cluster assigns becomes containers, networks and rules, and what they do is reported. */
package dev.skep.agent;
