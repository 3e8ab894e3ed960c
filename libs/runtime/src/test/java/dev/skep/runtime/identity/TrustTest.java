package dev.skep.runtime.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrustTest {
  private static final Instant NOW = Instant.parse("2026-11-21T00:00:00Z");
  private static final Duration LIFE = Duration.ofDays(90);

  private final SecureRandom random = new SecureRandom();
  private Instant now = NOW;
  private final Clock clock = new Clock() {
    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      return now;
    }
  };

  @TempDir Path folder;

  private NodeCertificate certificate(CertificateAuthority authority, NodeName name, String... links) {
    KeyPair keys = NodeCertificate.freshKey(random);
    String own = authority.issue(name, keys.getPublic(), now, LIFE, random);
    return NodeCertificate.of(keys.getPrivate(), own + String.join("", links));
  }

  private static X509Certificate[] shown(NodeCertificate certificate) {
    return certificate.chain().toArray(X509Certificate[]::new);
  }

  private Trust trust(String name) {
    return new Trust(folder.resolve(name), clock);
  }

  private static void accepts(Trust trust, NodeCertificate peer) {
    assertThatCode(() -> trust.peers().checkClientTrusted(shown(peer), "EC", (SSLEngine) null)).doesNotThrowAnyException();
  }

  private static void refuses(Trust trust, NodeCertificate peer) {
    assertThatThrownBy(() -> trust.peers().checkClientTrusted(shown(peer), "EC", (SSLEngine) null)).isInstanceOf(CertificateException.class);
  }

  @Test
  void whatIsInstalledIsThereAfterARestartAndForItsOwnerOnly() throws Exception {
    CertificateAuthority root = CertificateAuthority.create(NOW, random);
    NodeCertificate own = certificate(root, new NodeName("n1", NodeRole.WORKER, "c1"));
    trust("a").install(own, List.of(root.certificatePem()));
    Trust again = trust("a");
    assertThat(again.certificate()).contains(own);
    assertThat(again.roots()).containsExactlyElementsOf(Pem.certificates(root.certificatePem()));
    assertThat(own.name()).isEqualTo(new NodeName("n1", NodeRole.WORKER, "c1"));
    assertThat(own.toString()).doesNotContain("PRIVATE");
    Path file = folder.resolve("a/node.pem");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo("rw-------");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    assertThatThrownBy(() -> trust("a").certificate()).hasRootCauseMessage(file + " must be readable by its owner only (chmod 600)");
    again.erase();
    assertThat(trust("a").certificate()).isEmpty();
    assertThat(Files.exists(file)).isFalse();
  }

  @Test
  void onlyNodesOfThisClusterUnderItsRootAreBelieved() {
    CertificateAuthority root = CertificateAuthority.create(NOW, random);
    CertificateAuthority foreign = CertificateAuthority.create(NOW, random);
    Trust trust = trust("a");
    trust.install(certificate(root, new NodeName("n1", NodeRole.MANAGER, "c1")), List.of(root.certificatePem()));
    NodeCertificate worker = certificate(root, new NodeName("n2", NodeRole.WORKER, "c1"));
    NodeCertificate manager = certificate(root, new NodeName("n3", NodeRole.MANAGER, "c1"));
    accepts(trust, worker);
    refuses(trust, certificate(foreign, new NodeName("n2", NodeRole.WORKER, "c1")));
    refuses(trust, certificate(root, new NodeName("n2", NodeRole.WORKER, "c2")));
    assertThatCode(() -> trust.peers().checkServerTrusted(shown(manager), "EC", (SSLEngine) null)).doesNotThrowAnyException();
    assertThatThrownBy(() -> trust.peers().checkServerTrusted(shown(worker), "EC", (SSLEngine) null)).hasMessageContaining("not that of a manager");
    X509Certificate[] self = Pem.certificates(root.certificatePem()).toArray(X509Certificate[]::new);
    assertThatThrownBy(() -> trust.peers().checkClientTrusted(self, "EC", (SSLEngine) null)).hasMessageContaining("no certificate of a node");
    accepts(trust, worker); // as before
  }

  @Test
  void certificatesCountFromAnHourBeforeTheyWereMadeUntilTheyEnd() {
    CertificateAuthority root = CertificateAuthority.create(NOW, random);
    Trust trust = trust("a");
    trust.install(certificate(root, new NodeName("n1", NodeRole.MANAGER, "c1")), List.of(root.certificatePem()));
    NodeCertificate worker = certificate(root, new NodeName("n2", NodeRole.WORKER, "c1"));
    now = NOW.minus(Duration.ofMinutes(59));
    accepts(trust, worker);
    now = NOW.minus(Duration.ofMinutes(61));
    refuses(trust, worker);
    now = NOW.plus(LIFE).minusSeconds(1);
    accepts(trust, worker);
    now = NOW.plus(LIFE).plusSeconds(1);
    refuses(trust, worker);
    assertThat(worker.at(0.5)).isEqualTo(NOW.plus(LIFE.dividedBy(2)));
  }

  @Test
  void aNewRootIsBelievedThroughItsLinkByThoseWhoKnowOnlyTheOldOne() {
    CertificateAuthority old = CertificateAuthority.create(NOW, random);
    CertificateAuthority next = CertificateAuthority.create(NOW, random);
    String link = old.crossSign(next, NOW, random);
    Trust behind = trust("behind");
    behind.install(certificate(old, new NodeName("n1", NodeRole.MANAGER, "c1")), List.of(old.certificatePem()));
    Trust ahead = trust("ahead");
    ahead.install(certificate(next, new NodeName("n2", NodeRole.MANAGER, "c1"), link), List.of(next.certificatePem()));
    NodeCertificate linked = certificate(next, new NodeName("n3", NodeRole.WORKER, "c1"), link);
    accepts(behind, linked);
    accepts(ahead, linked);
    refuses(behind, certificate(next, new NodeName("n3", NodeRole.WORKER, "c1")));
    NodeCertificate older = certificate(old, new NodeName("n4", NodeRole.WORKER, "c1"));
    refuses(ahead, older);
    ahead.trust(List.of(old.certificatePem(), next.certificatePem()));
    accepts(ahead, older);
    accepts(ahead, linked);
    assertThat(ahead.info().getCertIssuerPublicKey().toByteArray()).isEqualTo(next.publicKey());
    assertThat(behind.info().getCertIssuerPublicKey().toByteArray()).isEqualTo(old.publicKey());
    assertThat(ahead.info().getTrustRoot()).contains(old.certificatePem(), next.certificatePem());
    CertificateAuthority stranger = CertificateAuthority.create(NOW, random);
    refuses(behind, certificate(stranger, new NodeName("n3", NodeRole.WORKER, "c1"), link));
  }

  @Test
  void aHandshakeThatHasBegunEndsWithTheCertificateItBeganWith() {
    CertificateAuthority root = CertificateAuthority.create(NOW, random);
    Trust trust = trust("a");
    NodeCertificate first = certificate(root, new NodeName("n1", NodeRole.WORKER, "c1"));
    NodeCertificate second = certificate(root, new NodeName("n1", NodeRole.WORKER, "c1"));
    List<String> heard = new ArrayList<>();
    trust.listen(() -> heard.add("changed"));
    trust.install(first, List.of(root.certificatePem()));
    String begun = trust.keys().chooseEngineClientAlias(new String[] {"EC"}, null, null);
    trust.install(second, List.of(root.certificatePem()));
    assertThat(trust.keys().getPrivateKey(begun)).isEqualTo(first.key());
    assertThat(trust.keys().getCertificateChain(begun)).isEqualTo(shown(first));
    String fresh = trust.keys().chooseEngineClientAlias(new String[] {"EC"}, null, null);
    assertThat(trust.keys().getCertificateChain(fresh)).isEqualTo(shown(second));
    assertThat(heard).hasSize(2);
  }

  @Test
  void aRequestMustProveThatItsKeyIsHeld() throws Exception {
    KeyPair keys = NodeCertificate.freshKey(random);
    byte[] request = CertificateAuthority.request(keys);
    assertThat(CertificateAuthority.keyOf(request)).contains(keys.getPublic());
    for (int i = 0; i < request.length; i++) {
      byte[] damaged = request.clone();
      damaged[i] ^= 0x10;
      Optional<?> key = CertificateAuthority.keyOf(damaged);
      assertThat(key.isEmpty() || key.get().equals(keys.getPublic())).as("byte %d", i).isTrue();
    }
    for (byte[] nothing : List.of(new byte[0], new byte[] {1, 2, 3}, new byte[1 << 20], Arrays.copyOf(request, 40))) {
      assertThat(CertificateAuthority.keyOf(nothing)).isEmpty();
    }
    KeyPairGenerator curve = KeyPairGenerator.getInstance("EC");
    curve.initialize(384);
    assertThat(CertificateAuthority.keyOf(CertificateAuthority.request(curve.generateKeyPair()))).isEmpty();
  }

  @Test
  void anAuthorityIsOnlyMadeOfAKeyThatIsItsRoots() {
    CertificateAuthority root = CertificateAuthority.create(NOW, random);
    CertificateAuthority other = CertificateAuthority.create(NOW, random);
    assertThat(CertificateAuthority.of(root.certificatePem(), root.privateKey()).publicKey()).isEqualTo(root.publicKey());
    assertThatThrownBy(() -> CertificateAuthority.of(root.certificatePem(), other.privateKey())).isInstanceOf(IllegalArgumentException.class);
  }
}
