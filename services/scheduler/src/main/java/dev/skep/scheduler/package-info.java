/** The scheduler: gives each task the node that suits it best, or the reason why none does. */
package dev.skep.scheduler;
