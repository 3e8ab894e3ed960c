package dev.skep.runtime.identity;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * TLS for servers that are not ours (etcd, Kafka), from a root of their own: they must run before there is a cluster. Every
 * server gets a folder with what it needs and nothing else, so that the folder is all that it is given.
 */
public final class ServerCertificates {
  private static final Duration LIFE = Duration.ofDays(3 * 365);
  private static final Duration RENEW = Duration.ofDays(365); // before the end
  private static final String ROOT = "ca.pem";
  private static final String ROOT_KEY = "ca-key.pem";
  private static final String CERTIFICATE = "server.pem";
  private static final String KEY = "server-key.pem";
  /** Both in one, as Kafka wants them. */
  private static final String BOTH = "keystore.pem";
  private static final Set<PosixFilePermission> ALL_READ = PosixFilePermissions.fromString("rw-r--r--");
  private static final Set<PosixFilePermission> ALL_ENTER = PosixFilePermissions.fromString("rwxr-xr-x");

  private final Path folder;
  private final CertificateAuthority authority;
  private final Instant now;
  private final SecureRandom random;

  private ServerCertificates(Path folder, CertificateAuthority authority, Instant now, SecureRandom random) {
    this.folder = folder;
    this.authority = authority;
    this.now = now;
    this.random = random;
  }

  /** With the root that is in this folder, or a fresh one. */
  public static ServerCertificates in(Path folder, Instant now, SecureRandom random) throws IOException {
    Path root = folder.resolve(ROOT);
    Path key = folder.resolve(ROOT_KEY);
    CertificateAuthority authority;
    if (Files.exists(root)) {
      String text = new String(PrivateFile.read(key), StandardCharsets.US_ASCII);
      authority = CertificateAuthority.of(Files.readString(root), Pem.key(text).getEncoded());
    } else {
      authority = CertificateAuthority.create("skep servers", now, random);
      PrivateFile.replace(key, Pem.key(Pem.key(authority.privateKey())).getBytes(StandardCharsets.US_ASCII));
      open(root, authority.certificatePem());
    }
    return new ServerCertificates(folder, authority, now, random);
  }

  /**
   * {@code <folder>/<name>/server.pem}, {@code server-key.pem}, {@code keystore.pem}, {@code ca.pem}. Whoever gets the folder
   * may read it: servers run as users of their own. Answers whether something was made: what is good for long stays.
   */
  public boolean server(String name, List<String> otherNames) throws IOException {
    Path own = folder.resolve(name);
    if (good(own.resolve(CERTIFICATE))) {
      return false;
    }
    Files.createDirectories(own);
    Files.setPosixFilePermissions(own, ALL_ENTER);
    List<String> names = new ArrayList<>(List.of(name, "localhost", "127.0.0.1"));
    names.addAll(otherNames);
    KeyPair keys = NodeCertificate.freshKey(random);
    String certificate = authority.issue(name, names, keys.getPublic(), now, LIFE, random);
    open(own.resolve(KEY), Pem.key(keys.getPrivate()));
    open(own.resolve(BOTH), Pem.key(keys.getPrivate()) + certificate);
    open(own.resolve(ROOT), authority.certificatePem());
    open(own.resolve(CERTIFICATE), certificate); // last: with it all is there
    return true;
  }

  /** {@code <folder>/<name>.pem} and {@code <name>-key.pem}, for a client that only we are. */
  public void client(String name) throws IOException {
    if (good(folder.resolve(name + ".pem"))) {
      return;
    }
    KeyPair keys = NodeCertificate.freshKey(random);
    PrivateFile.replace(folder.resolve(name + "-key.pem"), Pem.key(keys.getPrivate()).getBytes(StandardCharsets.US_ASCII));
    open(folder.resolve(name + ".pem"), authority.issue(name, List.of(name), keys.getPublic(), now, LIFE, random));
  }

  /** {@code <folder>/<name>}, of mode 0600, when there is none. */
  public void secret(String name, String content) throws IOException {
    if (!Files.exists(folder.resolve(name))) {
      PrivateFile.replace(folder.resolve(name), (content + "\n").getBytes(StandardCharsets.UTF_8));
    }
  }

  private boolean good(Path certificate) throws IOException {
    return Files.exists(certificate)
        && Pem.certificates(Files.readString(certificate)).getFirst().getNotAfter().toInstant().isAfter(now.plus(RENEW));
  }

  private static void open(Path file, String content) throws IOException {
    PrivateFile.replace(file, content.getBytes(StandardCharsets.US_ASCII));
    Files.setPosixFilePermissions(file, ALL_READ);
  }
}
