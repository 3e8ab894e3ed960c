package dev.skep.runtime.identity;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;

/**
 * Shows the newest certificate in every handshake. TLS asks for a name first and for key and chain afterwards: the name
 * is the certificate's serial number, so that both come from the same one also when it is replaced in between.
 */
final class NodeKeys extends X509ExtendedKeyManager {
  private final Trust trust;

  NodeKeys(Trust trust) {
    this.trust = trust;
  }

  private String newest() {
    return trust.certificate().map(NodeKeys::alias).orElse(null);
  }

  private static String alias(NodeCertificate certificate) {
    return certificate.own().getSerialNumber().toString();
  }

  private Optional<NodeCertificate> named(String alias) {
    Trust.Held held = trust.held();
    return Stream.of(held.certificate(), held.before()).flatMap(Optional::stream).filter(one -> alias(one).equals(alias)).findFirst();
  }

  @Override
  public String chooseEngineClientAlias(String[] keyTypes, Principal[] issuers, SSLEngine engine) {
    return newest();
  }

  @Override
  public String chooseEngineServerAlias(String keyType, Principal[] issuers, SSLEngine engine) {
    return keyType.equals("EC") ? newest() : null;
  }

  @Override
  public X509Certificate[] getCertificateChain(String alias) {
    return named(alias).map(one -> one.chain().toArray(X509Certificate[]::new)).orElse(null);
  }

  @Override
  public PrivateKey getPrivateKey(String alias) {
    return named(alias).map(NodeCertificate::key).orElse(null);
  }

  @Override
  public String[] getClientAliases(String keyType, Principal[] issuers) {
    return aliases();
  }

  @Override
  public String[] getServerAliases(String keyType, Principal[] issuers) {
    return aliases();
  }

  private String[] aliases() {
    String alias = newest();
    return alias == null ? null : new String[] {alias};
  }

  @Override
  public String chooseClientAlias(String[] keyTypes, Principal[] issuers, Socket socket) {
    return newest();
  }

  @Override
  public String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
    return newest();
  }
}
