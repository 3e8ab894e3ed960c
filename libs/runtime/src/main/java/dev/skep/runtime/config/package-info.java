/** Configuration from a file, the environment and flags, bound to records without magic. */
package dev.skep.runtime.config;
