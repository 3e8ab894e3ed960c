/** The whole cluster in one thread: the real cores of all services, simulated users, engines and faults, and what must always hold. */
package dev.skep.skepd.sim;
