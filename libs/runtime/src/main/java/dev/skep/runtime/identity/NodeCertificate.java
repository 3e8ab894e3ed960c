package dev.skep.runtime.identity;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * What a node proves itself with.
 *
 * @param key never leaves the machine
 * @param chain its own certificate, then what links it to an older root
 */
public record NodeCertificate(PrivateKey key, List<X509Certificate> chain) {
  /** Certificates are good from so long before they were made: clocks differ. */
  static final Duration CLOCK_SKEW = Duration.ofHours(1);

  public NodeCertificate {
    chain = List.copyOf(chain);
    if (chain.isEmpty()) {
      throw new IllegalArgumentException("a node certificate without a certificate");
    }
  }

  /** @param chainPem as {@code IssueReply} brings it */
  public static NodeCertificate of(PrivateKey key, String chainPem) {
    return new NodeCertificate(key, Pem.certificates(chainPem));
  }

  /** A fresh key for a node. */
  public static KeyPair freshKey(SecureRandom random) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"), random);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has P-256", e);
    }
  }

  public X509Certificate own() {
    return chain.getFirst();
  }

  /** Throws IllegalArgumentException when the certificate is no node's. */
  public NodeName name() {
    return NodeName.of(own()).orElseThrow(() -> new IllegalArgumentException("not a node's: " + own().getSubjectX500Principal()));
  }

  public Instant begins() {
    return own().getNotBefore().toInstant();
  }

  public Instant ends() {
    return own().getNotAfter().toInstant();
  }

  /** When this share of its life is over, counted from when it was issued. */
  public Instant at(double share) {
    Instant issued = begins().plus(CLOCK_SKEW);
    return issued.plusMillis((long) (Duration.between(issued, ends()).toMillis() * share));
  }

  /** Never the key. */
  @Override
  public String toString() {
    return "NodeCertificate[" + own().getSubjectX500Principal() + ", until " + ends() + "]";
  }
}
