/** Which published port leads to which tasks, and whose turn it is: pure. */
package dev.skep.ingress.core;
