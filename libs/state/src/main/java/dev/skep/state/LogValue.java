package dev.skep.state;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** What the event log shows of a stored value: of secrets, keys, tokens and credentials a digest. */
public final class LogValue {
  private LogValue() {}

  /** The value itself, or its SHA-256 when the key is a sealed one; null stays null. */
  public static byte[] of(String key, byte[] value) {
    if (value == null || !key.startsWith(Owner.SEALED.prefix())) {
      return value;
    }
    try {
      return MessageDigest.getInstance("SHA-256").digest(value);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
