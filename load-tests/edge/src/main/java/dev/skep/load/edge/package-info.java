/** Measures the edge beside other proxies and resolvers: work per CPU-second of the process under test. */
package dev.skep.load.edge;
