/** Where state and the event log live: two small ports, bytes only, and the backends behind them. */
package dev.skep.backend;
