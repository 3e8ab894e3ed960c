/** How logs look: one line per event on stderr, set up in code because that starts faster than reading XML. */
package dev.skep.runtime.log;
