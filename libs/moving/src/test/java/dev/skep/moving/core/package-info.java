/** Copies, files and fillings of generated clusters. */
package dev.skep.moving.core;
