/** The process's view of the cluster's state, kept up to date by the store's watch. */
package dev.skep.runtime.view;
