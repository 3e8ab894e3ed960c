/** What the dispatcher decides, as functions of the cluster's state: nothing here knows a clock, a thread or a socket. */
package dev.skep.dispatcher.core;
