package dev.skep.runtime.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Descriptors;
import dev.skep.certificates.v1.CertificatesOuterClass;
import dev.skep.control.v1.ControlOuterClass;
import dev.skep.dispatcher.v1.DispatcherOuterClass;
import dev.skep.peer.v1.PeerOuterClass;
import dev.skep.state.v1.SealedRow;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdentityTest {
  private static final Instant NOW = Instant.parse("2026-11-21T00:00:00Z");
  private final SecureRandom random = new SecureRandom();

  @TempDir Path folder;

  @Test
  void theAuthorityIsWhatSwarmMakes() throws Exception {
    CertificateAuthority authority = CertificateAuthority.create(NOW, random);
    X509Certificate root =
        (X509Certificate)
            CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(authority.certificatePem().getBytes(StandardCharsets.US_ASCII)));
    root.verify(root.getPublicKey());
    assertThat(root.getSubjectX500Principal().getName()).isEqualTo("CN=swarm-ca");
    assertThat(root.getBasicConstraints()).isNotNegative();
    assertThat(root.getNotAfter().toInstant()).isAfter(NOW.plusSeconds(19L * 365 * 86400)).isBefore(NOW.plusSeconds(21L * 365 * 86400));
    assertThat(Base64.getEncoder().encodeToString(authority.subject())).isEqualTo("MBMxETAPBgNVBAMTCHN3YXJtLWNh");
    assertThat(root.getPublicKey().getEncoded()).isEqualTo(authority.publicKey());
    assertThat(authority.toString()).doesNotContain("privateKey");
  }

  @Test
  void tokensNameTheRootAndKeepTheirSecretOutOfLogs() {
    String root = CertificateAuthority.create(NOW, random).certificatePem();
    JoinToken token = JoinToken.fresh(root, random);
    assertThat(token.text()).matches("SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}");
    assertThat(JoinToken.parse(token.text())).contains(token);
    assertThat(token.rootDigest()).isEqualTo(JoinToken.digestOf(root));
    assertThat(token.matches(token.text())).isTrue();
    assertThat(token.matches(JoinToken.fresh(root, random).text())).isFalse();
    assertThat(token.toString()).doesNotContain(token.secret());
    for (String bad : List.of("", "SWMTKN-1-", "SWMTKN-1-a-b", token.text() + "x", token.text().toUpperCase(Locale.ROOT))) {
      assertThat(JoinToken.parse(bad)).as(bad).isEmpty();
    }
  }

  @Test
  void theDigestIsThatOfARecordedCluster() {
    String root =
        """
        -----BEGIN CERTIFICATE-----
        MIIBajCCARCgAwIBAgIUJz1pAlTcyhHuRCvIsjaJWz34BHswCgYIKoZIzj0EAwIw
        EzERMA8GA1UEAxMIc3dhcm0tY2EwHhcNMjYxMTIwMjM0NTAwWhcNNDYxMTE1MjM0
        NTAwWjATMREwDwYDVQQDEwhzd2FybS1jYTBZMBMGByqGSM49AgEGCCqGSM49AwEH
        A0IABNlrkPxAVR29XW/wlpWHn34VSVgo55CZAqVOiQp4CgHkVzU2X6Eun+X03KEt
        dlZdUtGC5pFsGpCurjSVMnUryeCjQjBAMA4GA1UdDwEB/wQEAwIBBjAPBgNVHRMB
        Af8EBTADAQH/MB0GA1UdDgQWBBRYSxBakPBZVH1VS5/3Y/ggdMvnuzAKBggqhkjO
        PQQDAgNIADBFAiEAorf4vIjcYQarNQnetzNba5PP0L6OHK9ir2vwNX2hV+kCIF85
        OZ+1WCAkb7LN9wQEVadAZR+lACgbjgULVeMrQKL2
        -----END CERTIFICATE-----
        """;
    assertThat(JoinToken.digestOf(root)).isEqualTo("1eildbz2veoizw2naldm6ojmoj3ixs76iv18zaqzuulpusgwm2");
  }

  @Test
  void whatIsSealedOpensOnlyWithTheKeyAndOnlyInItsRow() throws Exception {
    ClusterKey key = ClusterKey.create(folder, random);
    byte[] clear = "a secret".getBytes(StandardCharsets.UTF_8);
    SealedRow sealed = key.seal(SealedRows.authorityKey(), clear, random);
    assertThat(sealed.toByteString().toStringUtf8()).doesNotContain("a secret");
    assertThat(ClusterKey.read(folder).open(SealedRows.authorityKey(), sealed)).isEqualTo(clear);
    assertThatThrownBy(() -> key.open(SealedRows.registryAuth("s"), sealed)).isInstanceOf(IllegalStateException.class);
    ClusterKey other = ClusterKey.create(folder.resolve("other"), random);
    assertThatThrownBy(() -> other.open(SealedRows.authorityKey(), sealed)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void theKeyFileIsForItsOwnerOnly() throws Exception {
    ClusterKey.create(folder, random);
    Path file = folder.resolve("cluster.key");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo("rw-------");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    assertThatThrownBy(() -> ClusterKey.read(folder)).hasMessageContaining("chmod 600");
    ClusterKey.erase(folder);
    assertThat(ClusterKey.present(folder)).isFalse();
  }

  @Test
  void everyRpcNamesItsCallers() {
    Set<String> declared = new TreeSet<>();
    for (Descriptors.FileDescriptor file : List.of(ControlOuterClass.getDescriptor(), DispatcherOuterClass.getDescriptor(),
        CertificatesOuterClass.getDescriptor(), PeerOuterClass.getDescriptor())) {
      for (Descriptors.ServiceDescriptor service : file.getServices()) {
        service.getMethods().forEach(method -> declared.add(service.getFullName() + "/" + method.getName()));
      }
    }
    assertThat(new TreeSet<>(RpcRoles.rpcs())).isEqualTo(declared);
  }

  @Test
  void nodesAreNotApiClientsAndClientsAreNotNodes() {
    Caller worker = new Caller.Node("n1", NodeRole.WORKER);
    Caller client = new Caller.ApiClient("ci");
    assertThat(RpcRoles.allowed("skep.control.v1.Control/Create", worker)).isFalse();
    assertThat(RpcRoles.allowed("skep.control.v1.Control/Create", client)).isTrue();
    assertThat(RpcRoles.allowed("skep.dispatcher.v1.Dispatcher/Session", client)).isFalse();
    assertThat(RpcRoles.allowed("skep.dispatcher.v1.Logs/Read", worker)).isFalse();
    assertThat(RpcRoles.allowed("skep.dispatcher.v1.Logs/Read", new Caller.InProcess())).isTrue();
    assertThat(RpcRoles.allowed("no.such/Rpc", new Caller.InProcess())).isFalse();
  }
}
