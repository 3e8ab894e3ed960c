/** Cluster states for tests: a builder that applies change sets like a store, and seeded generators. */
package dev.skep.testkit.gen;
