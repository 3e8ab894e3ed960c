/** What the API decides, as pure functions: what is refused and in which words, what a request means, what a name refers to. */
package dev.skep.controlapi.core;
