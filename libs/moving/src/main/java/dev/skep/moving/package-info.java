/** The commands that save a cluster, bring it back and carry it to another store. */
package dev.skep.moving;
