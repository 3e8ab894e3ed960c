/** The resolver of one node: names of services and tasks for the containers that may see them. */
package dev.skep.dns;
