/** The simulator's engine: virtual time, processes that crash, a network and a store that misbehave, all from one seed. */
package dev.skep.testkit.sim;
