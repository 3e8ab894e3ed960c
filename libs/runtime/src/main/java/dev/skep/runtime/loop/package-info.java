/** Control loops: a pure state machine that drives any decider, and the thread that drives the machine. */
package dev.skep.runtime.loop;
