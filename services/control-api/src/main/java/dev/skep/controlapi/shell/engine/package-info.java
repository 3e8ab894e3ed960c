/** The node's Docker engine as control-api uses it: short questions, and what it is. */
package dev.skep.controlapi.shell.engine;
