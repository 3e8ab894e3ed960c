/** The agent's I/O: the engine's API, programs that change the kernel's networks, the dispatcher, the disk. */
package dev.skep.agent.shell;
