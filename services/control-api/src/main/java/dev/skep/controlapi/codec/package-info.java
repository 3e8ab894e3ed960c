/** Docker's JSON for the proto model, as Go's encoder prints and reads it: the only place that walks descriptors. */
package dev.skep.controlapi.codec;
