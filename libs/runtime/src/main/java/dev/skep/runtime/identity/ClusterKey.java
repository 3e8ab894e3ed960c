package dev.skep.runtime.identity;

import com.google.protobuf.ByteString;
import dev.skep.state.Key;
import dev.skep.state.v1.SealedRow;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * The key that seals rows under {@code sealed/}: AES-256-GCM, a fresh nonce per row, and the row's key as additional
 * data, so that a sealed value cannot be moved to another row. It lives in a file of mode 0600 beside the store and
 * never in the store.
 */
public final class ClusterKey {
  private static final int KEY_BYTES = 32;
  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;
  private static final String FILE = "cluster.key";

  private final SecretKeySpec key;

  private ClusterKey(byte[] bytes) {
    this.key = new SecretKeySpec(bytes, "AES");
  }

  /** Makes a new key and writes it to the identity folder, in place of an older one. */
  public static ClusterKey create(Path identityFolder, SecureRandom random) throws IOException {
    byte[] bytes = new byte[KEY_BYTES];
    random.nextBytes(bytes);
    PrivateFile.replace(identityFolder.resolve(FILE), bytes);
    return new ClusterKey(bytes);
  }

  /** Reads the key. A file that others may read is refused: it may have been read. */
  public static ClusterKey read(Path identityFolder) throws IOException {
    Path file = identityFolder.resolve(FILE);
    byte[] bytes = PrivateFile.read(file);
    if (bytes.length != KEY_BYTES) {
      throw new IOException(file + " holds " + bytes.length + " bytes where a key has " + KEY_BYTES);
    }
    return new ClusterKey(bytes);
  }

  /** For another manager's host, over mutual TLS. */
  public byte[] bytes() {
    return key.getEncoded();
  }

  /** Writes the key that another manager sent. */
  public static void install(Path identityFolder, byte[] bytes) throws IOException {
    if (bytes.length != KEY_BYTES) {
      throw new IOException("a cluster key has " + KEY_BYTES + " bytes, not " + bytes.length);
    }
    PrivateFile.replace(identityFolder.resolve(FILE), bytes);
  }

  public static boolean present(Path identityFolder) {
    return Files.exists(identityFolder.resolve(FILE));
  }

  /** Forgets the key on disk: whatever it sealed can never be read again. */
  public static void erase(Path identityFolder) throws IOException {
    Files.deleteIfExists(identityFolder.resolve(FILE));
  }

  public SealedRow seal(Key<SealedRow> row, byte[] clear, SecureRandom random) {
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    try {
      byte[] sealed = cipher(Cipher.ENCRYPT_MODE, nonce, row).doFinal(clear);
      return SealedRow.newBuilder().setNonce(ByteString.copyFrom(nonce)).setCiphertext(ByteString.copyFrom(sealed)).build();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("cannot seal " + row, e);
    }
  }

  /** Throws IllegalStateException when the row was sealed with another key, for another row, or was changed. */
  public byte[] open(Key<SealedRow> row, SealedRow sealed) {
    try {
      return cipher(Cipher.DECRYPT_MODE, sealed.getNonce().toByteArray(), row).doFinal(sealed.getCiphertext().toByteArray());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("cannot open " + row + ": sealed with another key, or damaged", e);
    }
  }

  private Cipher cipher(int mode, byte[] nonce, Key<SealedRow> row) throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
    cipher.updateAAD(row.path().getBytes(StandardCharsets.UTF_8));
    return cipher;
  }
}
