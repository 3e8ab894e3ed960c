/** The embedded backend against the contract, and what only it promises. */
package dev.skep.testkit.embedded;
