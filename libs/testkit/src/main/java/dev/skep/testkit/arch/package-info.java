/** The architecture and style rules as code: each rule says why it exists and lists what breaks it. */
package dev.skep.testkit.arch;
