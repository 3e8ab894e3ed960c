/** What a name means for whom, and DNS messages as bytes: pure. */
package dev.skep.dns.core;
