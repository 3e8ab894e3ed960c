/** The relay: one record in the event log per revision of the store. */
package dev.skep.relay;
