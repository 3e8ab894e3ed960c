package dev.skep.runtime.identity;

import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.v1.SealedRow;

/** The keys of all sealed rows. */
public final class SealedRows {
  private SealedRows() {}

  /** The private key of the cluster's certificate authority, as PKCS#8. */
  public static Key<SealedRow> authorityKey() {
    return Rows.SEALED.key("ca", "key");
  }

  /** While the root is being rotated: the key of {@code ClusterRow.root_rotation.root_pem}, as PKCS#8. */
  public static Key<SealedRow> nextAuthorityKey() {
    return Rows.SEALED.key("ca", "next-key");
  }

  /** The join token of a role, as text. */
  public static Key<SealedRow> joinToken(NodeRole role) {
    return Rows.SEALED.key("token", role.text());
  }

  /** As whom control-api makes users of store and log: a StoreAdministrator. Only where they have users. */
  public static Key<SealedRow> storeAdministrator() {
    return Rows.SEALED.key("users", "administrator");
  }

  /** What the user sent as X-Registry-Auth with a service: written by control-api, read by the dispatcher for pulls. */
  public static Key<SealedRow> registryAuth(String serviceId) {
    return Rows.SEALED.key("registry-auth", serviceId);
  }

  /** The one of the request before, for {@code registryAuthFrom=previous-spec}. */
  public static Key<SealedRow> previousRegistryAuth(String serviceId) {
    return Rows.SEALED.key("registry-auth-previous", serviceId);
  }
}
