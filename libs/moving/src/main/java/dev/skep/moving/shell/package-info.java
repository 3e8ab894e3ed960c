/** Copies between stores, files and a running cluster. */
package dev.skep.moving.shell;
