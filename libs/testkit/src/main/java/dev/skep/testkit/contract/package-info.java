/** What every backend must do, as suites that a backend's test extends. */
package dev.skep.testkit.contract;
