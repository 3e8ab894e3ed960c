/** What every service stands on: components and their host, views and control loops, threads, configuration, edges. */
package dev.skep.runtime;
