/** The cluster's state as an immutable value, the rows it is made of, and the shape of every decision about it. */
package dev.skep.state;
