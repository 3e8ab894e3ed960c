/** What stands in deploy/ fits the code: compose files, settings, dashboards. */
package dev.skep.skepd.deploy;
