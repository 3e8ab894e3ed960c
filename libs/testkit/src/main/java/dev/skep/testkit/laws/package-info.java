/** The three laws that every decider obeys, as checks over generated states. */
package dev.skep.testkit.laws;
