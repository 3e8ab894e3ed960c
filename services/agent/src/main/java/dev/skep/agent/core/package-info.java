/** What a node does about its assignments, decided purely: tasks into engine calls, networks into rules, sets into adoption. */
package dev.skep.agent.core;
