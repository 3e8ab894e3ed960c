package dev.skep.runtime.identity;

import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A root that a store believes of its clients, with its key: every user of ours gets a certificate by its name. It opens the
 * door and no more; what is done behind it is the user's, and ends with it.
 *
 * @param privateKey PKCS#8
 */
public record ClientRoot(String certificatePem, byte[] privateKey) {
  private static final Duration LIFE = Duration.ofDays(10 * 365); // it ends with its user

  /** @param keyPem PKCS#8; throws IllegalArgumentException when it is not the root's */
  public static ClientRoot ofPem(String certificatePem, String keyPem) {
    ClientRoot root = new ClientRoot(certificatePem, Pem.key(keyPem).getEncoded());
    root.authority();
    return root;
  }

  private CertificateAuthority authority() {
    return CertificateAuthority.of(certificatePem, privateKey);
  }

  /** The same access to the store, with a certificate of this name. */
  public StoreAccess certify(StoreAccess access, String name, Instant now, SecureRandom random) {
    KeyPair keys = NodeCertificate.freshKey(random);
    return access.withCertificate("store", authority().issue(name, List.of(name), keys.getPublic(), now, LIFE, random), Pem.key(keys.getPrivate()));
  }
}
