package dev.skep.testkit.tls;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A root and what it signed, as PEM files in a folder. */
public final class TestAuthority {
  /** A certificate and its key (PKCS#8). */
  public record Issued(Path certificate, Path key) {}

  private static final Duration LIFE = Duration.ofDays(1);

  private final Path folder;
  private final KeyPair keys = fresh();
  private final X500Name name;
  private final Path root;
  private long serial = 1;

  public TestAuthority(Path folder, String commonName) {
    this.folder = folder;
    this.name = new X500Name("CN=" + commonName);
    this.root = folder.resolve(commonName + ".pem");
    write(root, "CERTIFICATE", signed(name, keys, true));
  }

  public Path root() {
    return root;
  }

  /** Good for servers on 127.0.0.1 and localhost, and for clients of this name. */
  public Issued issue(String commonName) {
    KeyPair own = fresh();
    Issued files = new Issued(folder.resolve(commonName + ".pem"), folder.resolve(commonName + "-key.pem"));
    write(files.certificate, "CERTIFICATE", signed(new X500Name("CN=" + commonName), own, false));
    write(files.key, "PRIVATE KEY", own.getPrivate().getEncoded());
    return files;
  }

  private byte[] signed(X500Name subject, KeyPair own, boolean authority) {
    Instant now = Instant.now();
    try {
      var builder = new JcaX509v3CertificateBuilder(name, BigInteger.valueOf(serial++), Date.from(now.minus(LIFE)), Date.from(now.plus(LIFE)),
          subject, own.getPublic());
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
      if (!authority) {
        builder.addExtension(Extension.extendedKeyUsage, false,
            new ExtendedKeyUsage(new KeyPurposeId[] {KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth}));
        builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(
            new GeneralName[] {new GeneralName(GeneralName.iPAddress, "127.0.0.1"), new GeneralName(GeneralName.dNSName, "localhost")}));
      }
      return builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())).getEncoded();
    } catch (IOException | OperatorCreationException e) {
      throw new AssertionError(e);
    }
  }

  private static KeyPair fresh() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private static void write(Path file, String what, byte[] der) {
    try {
      Files.writeString(file, "-----BEGIN " + what + "-----\n" + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der) + "\n-----END " + what + "-----\n");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
