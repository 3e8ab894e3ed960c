/** The scenarios of the product, run as a user runs them: the launcher, a real engine, the real docker CLI. */
package dev.skep.skepd.e2e;
