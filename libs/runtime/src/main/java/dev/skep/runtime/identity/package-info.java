/** Who a caller is, the cluster's certificate authority, join tokens, and the key that seals secrets at rest. */
package dev.skep.runtime.identity;
