/** A small HTTP endpoint for metrics and health. */
package dev.skep.runtime.http;
