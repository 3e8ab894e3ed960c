package dev.skep.runtime.identity;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Optional;

/**
 * {@code SWMTKN-1-<digest of the root certificate>-<secret>}: with the digest a joining node knows which cluster it
 * talks to before it trusts it, with the secret the cluster knows that the node was invited, and as what.
 */
public record JoinToken(String rootDigest, String secret) {
  private static final String PREFIX = "SWMTKN-1-";
  private static final int BASE = 36;
  private static final int DIGEST_LENGTH = 50; // base-36 digits of 256 bits
  private static final int SECRET_LENGTH = 25; // base-36 digits of 128 bits
  private static final int SECRET_BYTES = 16;

  /** A fresh token for the cluster with this root certificate. */
  public static JoinToken fresh(String rootPem, SecureRandom random) {
    byte[] secret = new byte[SECRET_BYTES];
    random.nextBytes(secret);
    return new JoinToken(digestOf(rootPem), digits(secret, SECRET_LENGTH));
  }

  public static Optional<JoinToken> parse(String text) {
    if (!text.startsWith(PREFIX)) {
      return Optional.empty();
    }
    String[] parts = text.substring(PREFIX.length()).split("-", -1);
    if (parts.length != 2 || !isDigits(parts[0], DIGEST_LENGTH) || !isDigits(parts[1], SECRET_LENGTH)) {
      return Optional.empty();
    }
    return Optional.of(new JoinToken(parts[0], parts[1]));
  }

  /** The digest by which tokens name a root certificate. */
  public static String digestOf(String rootPem) {
    try {
      return digits(MessageDigest.getInstance("SHA-256").digest(rootPem.getBytes(StandardCharsets.UTF_8)), DIGEST_LENGTH);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** The digest in hex, as Docker prints it. */
  public String rootDigestHex() {
    return "%064x".formatted(new BigInteger(rootDigest, BASE));
  }

  /** Whether the presented token is this one; takes the same time wherever they differ. */
  public boolean matches(String presented) {
    return MessageDigest.isEqual(text().getBytes(StandardCharsets.UTF_8), presented.getBytes(StandardCharsets.UTF_8));
  }

  public String text() {
    return PREFIX + rootDigest + "-" + secret;
  }

  /** Never the secret. */
  @Override
  public String toString() {
    return PREFIX + rootDigest + "-…";
  }

  private static String digits(byte[] bytes, int length) {
    String digits = new BigInteger(1, bytes).toString(BASE);
    return "0".repeat(length - digits.length()) + digits;
  }

  private static boolean isDigits(String text, int length) {
    return text.length() == length && text.chars().allMatch(c -> c >= '0' && c <= '9' || c >= 'a' && c <= 'z');
  }
}
