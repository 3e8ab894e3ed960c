/** The embedded backend: one SQLite file with every change of every key, owned by one process. */
package dev.skep.backend.embedded;
