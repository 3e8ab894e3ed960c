/** Sockets as both edge components need them: UDP that answers from the address that was asked, ports handed to a successor. */
package dev.skep.runtime.net;
