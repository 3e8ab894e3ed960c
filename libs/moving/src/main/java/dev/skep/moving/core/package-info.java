/** What a copy of a cluster is, what a backup file looks like, and what a store must be to be filled with one. */
package dev.skep.moving.core;
