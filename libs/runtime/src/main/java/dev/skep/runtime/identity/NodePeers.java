package dev.skep.runtime.identity;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Believes nodes whose certificate leads to one of the roots, today. Machines are known by their node ids and not by host
 * names, so no name is compared with an address; whoever answers calls must be a manager.
 */
final class NodePeers extends X509ExtendedTrustManager {
  private static final int LONGEST_CHAIN = 4;

  private final Supplier<List<X509Certificate>> roots;
  private final Clock clock;
  private final Predicate<NodeName> member;

  NodePeers(Supplier<List<X509Certificate>> roots, Clock clock, Predicate<NodeName> member) {
    this.roots = roots;
    this.clock = clock;
    this.member = member;
  }

  private NodeName check(X509Certificate[] chain) throws CertificateException {
    NodeName name = NodeName.of(chain[0]).filter(member).orElseThrow(() -> new CertificateException("no certificate of a node of this cluster"));
    Set<TrustAnchor> anchors = roots.get().stream().map(root -> new TrustAnchor(root, null)).collect(Collectors.toSet());
    if (anchors.isEmpty()) {
      throw new CertificateException("no root is trusted yet");
    }
    GeneralSecurityException failure = null;
    // What follows the first certificate helps those who do not know its issuer; whoever does must not be disturbed by it.
    for (int length = 1; length <= Math.min(chain.length, LONGEST_CHAIN); length++) {
      try {
        PKIXParameters rules = new PKIXParameters(anchors);
        rules.setRevocationEnabled(false); // a removed node has no row any more, and every call looks for it
        rules.setDate(Date.from(clock.instant()));
        var path = CertificateFactory.getInstance("X.509").generateCertPath(Arrays.asList(chain).subList(0, length));
        CertPathValidator.getInstance("PKIX").validate(path, rules);
        return name;
      } catch (GeneralSecurityException e) {
        failure = failure == null ? e : failure;
      }
    }
    throw new CertificateException("the certificate does not lead to a root of the cluster: " + failure.getMessage(), failure);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine) throws CertificateException {
    check(chain);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) throws CertificateException {
    if (check(chain).role() != NodeRole.MANAGER) {
      throw new CertificateException("the certificate is not that of a manager");
    }
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
    check(chain);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
    checkServerTrusted(chain, authType, (SSLEngine) null);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket) throws CertificateException {
    check(chain);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) throws CertificateException {
    checkServerTrusted(chain, authType, (SSLEngine) null);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return roots.get().toArray(X509Certificate[]::new);
  }
}
