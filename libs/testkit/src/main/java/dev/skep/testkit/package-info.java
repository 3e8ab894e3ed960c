/** What tests of services stand on: hosts, contract suites, fakes. */
package dev.skep.testkit;
