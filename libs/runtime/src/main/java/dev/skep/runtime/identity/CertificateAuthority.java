package dev.skep.runtime.identity;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.DERPrintableString;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCSException;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequest;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

/**
 * The root of a cluster's trust, and what it signs. This class is the only one that touches BouncyCastle (for ASN.1; the
 * cryptography is the JDK's), and it is loaded by init, join, a renewal and a rotation only: a start does not pay for it.
 *
 * <p>Rotation of the root: {@code next = create(…)}, {@code link = current.crossSign(next)}; write both with
 * {@link SealedRows#nextAuthorityKey()} as {@code ClusterRow.root_rotation}. From then on the dispatcher issues with
 * {@code next} and sends sessions both roots and {@code renew}. A node has followed when the issuer's public key in its
 * {@code NodeDescription.tls_info} is {@code RootRotation.issuer_public_key}. When all have, the new root takes the old
 * one's place in {@code ClusterRow}, its key becomes {@link SealedRows#authorityKey()}, and the join tokens are made anew.
 *
 * @param certificatePem the self-signed root, EC P-256, CN swarm-ca, 20 years
 * @param subject its subject in DER
 * @param publicKey its public key in DER
 * @param privateKey PKCS#8; to be sealed, never stored in clear
 */
public record CertificateAuthority(String certificatePem, byte[] subject, byte[] publicKey, byte[] privateKey) {
  private static final Duration LIFE = Duration.ofDays(20 * 365L + 5);
  private static final String SIGNATURE = "SHA256withECDSA";
  private static final int CURVE_BITS = 256;
  private static final int SERIAL_BITS = 159;
  private static final int LONGEST_REQUEST = 16 << 10;

  public static CertificateAuthority create(Instant now, SecureRandom random) {
    return create("swarm-ca", now, random);
  }

  /** Another one than the cluster's: for servers that are no nodes. */
  static CertificateAuthority create(String commonName, Instant now, SecureRandom random) {
    KeyPair keys = NodeCertificate.freshKey(random);
    X500Name name = new X500NameBuilder().addRDN(BCStyle.CN, new DERPrintableString(commonName)).build();
    try {
      var builder = new JcaX509v3CertificateBuilder(
          name, serial(random), Date.from(now.minus(NodeCertificate.CLOCK_SKEW)), Date.from(now.plus(LIFE)), name, keys.getPublic());
      byte[] der = signed(authority(builder, keys.getPublic()), keys.getPrivate());
      return new CertificateAuthority(Pem.certificate(der), name.getEncoded(), keys.getPublic().getEncoded(), keys.getPrivate().getEncoded());
    } catch (IOException e) {
      throw cannot("make the cluster's certificate authority", e);
    }
  }

  /** The authority of this root. Throws IllegalArgumentException when the key is not the root's. */
  public static CertificateAuthority of(String certificatePem, byte[] privateKey) {
    X509Certificate root = Pem.certificates(certificatePem).getFirst();
    CertificateAuthority authority = new CertificateAuthority(
        certificatePem, root.getSubjectX500Principal().getEncoded(), root.getPublicKey().getEncoded(), privateKey.clone());
    if (!authority.fits(root.getPublicKey())) {
      throw new IllegalArgumentException("the private key is not that of the root certificate");
    }
    return authority;
  }

  private boolean fits(PublicKey root) {
    try {
      var signature = java.security.Signature.getInstance(SIGNATURE);
      signature.initSign(Pem.key(privateKey));
      signature.update(publicKey);
      byte[] signed = signature.sign();
      signature.initVerify(root);
      signature.update(publicKey);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false; // of another kind than the root's
    }
  }

  /** A request for a certificate of this key, in DER. It names nobody: the cluster gives names. */
  public static byte[] request(KeyPair keys) {
    try {
      var signer = new JcaContentSignerBuilder(SIGNATURE).build(keys.getPrivate());
      return new JcaPKCS10CertificationRequestBuilder(new X500NameBuilder().build(), keys.getPublic()).build(signer).getEncoded();
    } catch (OperatorCreationException | IOException e) {
      throw cannot("ask for a certificate", e);
    }
  }

  /** The key of a request, when whoever wrote it has the private one, too, and it is of the right kind. Nothing else of it is read. */
  public static Optional<PublicKey> keyOf(byte[] request) {
    if (request.length > LONGEST_REQUEST) {
      return Optional.empty();
    }
    try {
      var parsed = new JcaPKCS10CertificationRequest(request);
      PublicKey key = parsed.getPublicKey();
      boolean rightKind = key instanceof ECPublicKey curve && curve.getParams().getCurve().getField().getFieldSize() == CURVE_BITS;
      boolean proven = rightKind && parsed.isSignatureValid(new JcaContentVerifierProviderBuilder().build(key));
      return proven ? Optional.of(key) : Optional.empty();
    } catch (IOException | GeneralSecurityException | OperatorCreationException | PKCSException | RuntimeException e) {
      return Optional.empty(); // whatever a parser says about a stranger's bytes: they are no request
    }
  }

  /** A node's certificate in PEM, good from an hour before now (clocks differ) for {@code life} from now. */
  public String issue(NodeName node, PublicKey key, Instant now, Duration life, SecureRandom random) {
    X500Name name = new X500NameBuilder()
        .addRDN(BCStyle.CN, node.nodeId())
        .addRDN(BCStyle.OU, NodeName.UNIT + node.role().text())
        .addRDN(BCStyle.O, node.clusterId())
        .build();
    List<GeneralName> all = List.of(
        new GeneralName(GeneralName.dNSName, NodeName.UNIT + node.role().text()), new GeneralName(GeneralName.dNSName, node.nodeId()));
    return issue(name, all, key, now, life, random);
  }

  /** A certificate for a server of these names and addresses, and for a client of this common name. */
  String issue(String commonName, List<String> names, PublicKey key, Instant now, Duration life, SecureRandom random) {
    X500Name name = new X500NameBuilder().addRDN(BCStyle.CN, commonName).build();
    List<GeneralName> all = names.stream()
        .map(one -> new GeneralName(one.matches("[0-9.]+|.*:.*") ? GeneralName.iPAddress : GeneralName.dNSName, one)).toList();
    return issue(name, all, key, now, life, random);
  }

  /** For both ends of a connection. */
  private String issue(X500Name name, List<GeneralName> otherNames, PublicKey key, Instant now, Duration life, SecureRandom random) {
    try {
      var builder = new JcaX509v3CertificateBuilder(
          X500Name.getInstance(subject), serial(random), Date.from(now.minus(NodeCertificate.CLOCK_SKEW)), Date.from(now.plus(life)), name, key);
      builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
      builder.addExtension(Extension.extendedKeyUsage, false,
          new ExtendedKeyUsage(new KeyPurposeId[] {KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth}));
      builder.addExtension(Extension.authorityKeyIdentifier, false, new JcaX509ExtensionUtils().createAuthorityKeyIdentifier(root().getPublicKey()));
      builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(otherNames.toArray(GeneralName[]::new)));
      return Pem.certificate(signed(builder, Pem.key(privateKey)));
    } catch (GeneralSecurityException | IOException e) {
      throw cannot("issue a certificate", e);
    }
  }

  /** The next root's key under this root's signature, in PEM: whoever trusts only this root accepts what the next one issues. */
  public String crossSign(CertificateAuthority next, Instant now, SecureRandom random) {
    try {
      var builder = new JcaX509v3CertificateBuilder(
          X500Name.getInstance(subject), serial(random), Date.from(now.minus(NodeCertificate.CLOCK_SKEW)), root().getNotAfter(),
          X500Name.getInstance(next.subject), next.root().getPublicKey());
      builder.addExtension(Extension.authorityKeyIdentifier, false, new JcaX509ExtensionUtils().createAuthorityKeyIdentifier(root().getPublicKey()));
      return Pem.certificate(signed(authority(builder, next.root().getPublicKey()), Pem.key(privateKey)));
    } catch (GeneralSecurityException | IOException e) {
      throw cannot("sign the next root", e);
    }
  }

  private X509Certificate root() {
    return Pem.certificates(certificatePem).getFirst();
  }

  private static JcaX509v3CertificateBuilder authority(JcaX509v3CertificateBuilder builder, PublicKey key) throws IOException {
    try {
      builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
      builder.addExtension(Extension.subjectKeyIdentifier, false, new JcaX509ExtensionUtils().createSubjectKeyIdentifier(key));
      return builder;
    } catch (GeneralSecurityException e) {
      throw cannot("describe an authority", e);
    }
  }

  private static byte[] signed(JcaX509v3CertificateBuilder builder, PrivateKey key) throws IOException {
    try {
      return builder.build(new JcaContentSignerBuilder(SIGNATURE).build(key)).getEncoded();
    } catch (OperatorCreationException e) {
      throw cannot("sign", e);
    }
  }

  private static BigInteger serial(SecureRandom random) {
    return new BigInteger(SERIAL_BITS, random);
  }

  private static IllegalStateException cannot(String what, Exception cause) {
    return new IllegalStateException("cannot " + what, cause);
  }

  /** Never the key. */
  @Override
  public String toString() {
    return "CertificateAuthority" + certificatePem.lines().toList();
  }
}
