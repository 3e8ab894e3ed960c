/** The objects that a user reads: each a pure function that joins the rows it is made of. */
package dev.skep.state.view;
