/** Copies of generated clusters, between real stores and real files. */
package dev.skep.moving;
