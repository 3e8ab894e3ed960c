package dev.skep.runtime.identity;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import org.bouncycastle.asn1.DERPrintableString;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * The root of a cluster's trust, as made by {@code swarm init}. This class is the only one that touches BouncyCastle
 * (for ASN.1; the cryptography is the JDK's), and it is loaded only then: a start does not pay for it.
 *
 * @param certificatePem the self-signed root, EC P-256, CN swarm-ca, 20 years
 * @param subject its subject in DER
 * @param publicKey its public key in DER
 * @param privateKey PKCS#8; to be sealed, never stored in clear
 */
public record CertificateAuthority(String certificatePem, byte[] subject, byte[] publicKey, byte[] privateKey) {
  private static final Duration LIFE = Duration.ofDays(20 * 365L + 5);
  private static final Duration CLOCK_SKEW = Duration.ofHours(1);
  private static final int SERIAL_BITS = 159;
  private static final int PEM_LINE = 64;

  public static CertificateAuthority create(Instant now, SecureRandom random) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"), random);
      KeyPair keys = generator.generateKeyPair();
      X500Name name = new X500NameBuilder().addRDN(BCStyle.CN, new DERPrintableString("swarm-ca")).build();
      var builder =
          new JcaX509v3CertificateBuilder(
              name, new BigInteger(SERIAL_BITS, random), Date.from(now.minus(CLOCK_SKEW)), Date.from(now.plus(LIFE)), name,
                  keys.getPublic());
      builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
      builder.addExtension(Extension.subjectKeyIdentifier, false, new JcaX509ExtensionUtils().createSubjectKeyIdentifier(keys.getPublic()));
      byte[] der = builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())).getEncoded();
      return new CertificateAuthority(pem(der), name.getEncoded(), keys.getPublic().getEncoded(), keys.getPrivate().getEncoded());
    } catch (GeneralSecurityException | OperatorCreationException | IOException e) {
      throw new IllegalStateException("cannot make the cluster's certificate authority", e);
    }
  }

  private static String pem(byte[] der) {
    String body = Base64.getMimeEncoder(PEM_LINE, new byte[] {'\n'}).encodeToString(der);
    return "-----BEGIN CERTIFICATE-----\n" + body + "\n-----END CERTIFICATE-----\n";
  }

  /** Never the key. */
  @Override
  public String toString() {
    return "CertificateAuthority" + certificatePem.lines().toList();
  }
}
