package dev.skep.controlapi.shell;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.skep.api.v1.NodeDescription;
import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.TLSInfo;
import dev.skep.controlapi.ControlApi;
import dev.skep.controlapi.ControlApiConfig;
import dev.skep.runtime.identity.CertificateAuthority;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.testkit.TestHost;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code docker swarm ca --rotate}, with nodes that report as agents do. */
class RootRotationTest {
  private static final Pattern SPEC = Pattern.compile("\"Version\":\\{\"Index\":(\\d+)\\}.*?\"Spec\":(\\{.*?\\}),\"TLSInfo\"");

  @TempDir Path folder;
  private TestHost host;
  private ApiClient api;

  @BeforeEach
  void start() {
    ControlApi service =
        new ControlApi(
            ControlApiConfig.defaults()
                .withApi(List.of("unix://" + folder.resolve("api.sock")))
                .withEngine(folder.resolve("no-engine.sock"))
                .withNodeWait(Duration.ofMillis(1)));
    host = TestHost.start(service);
    api = new ApiClient(folder.resolve("api.sock"));
    report(service.ensureCluster(), cluster().getCertIssuerPublicKey());
  }

  @AfterEach
  void stop() {
    host.close();
  }

  private ClusterRow cluster() {
    return host.view().state().value(Rows.cluster());
  }

  private void report(String node, ByteString issuerKey) {
    TLSInfo tls = TLSInfo.newBuilder().setCertIssuerPublicKey(issuerKey).build();
    host.put(
        Rows.NODE_STATUS.key(node),
        NodeStatusRow.newBuilder().setNodeId(node).setState("ready").setDescription(NodeDescription.newBuilder().setTlsInfo(tls)).build());
  }

  /** As the CLI does: what it read, with the counter one higher. */
  private void rotate() throws Exception {
    String swarm = api.get("/v1.41/swarm");
    Matcher found = SPEC.matcher(swarm);
    assertThat(found.find()).as(swarm).isTrue();
    long counter = cluster().getSpec().getCaConfig().getForceRotate() + 1;
    String spec = found.group(2).replaceFirst("\"CAConfig\":\\{(\"NodeCertExpiry\":\\d+)[^}]*\\}", "\"CAConfig\":{$1,\"ForceRotate\":" + counter + "}");
    assertThat(api.call("POST", "/v1.41/swarm/update?version=" + found.group(1), spec)).startsWith("HTTP/1.1 200 ");
    assertThat(api.get("/v1.41/swarm")).contains("\"ForceRotate\":" + counter);
  }

  private static X509Certificate certificate(String pem) throws Exception {
    return (X509Certificate)
        CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII)));
  }

  @Test
  void theLastNodeThatFollowsEndsIt() throws Exception {
    String manager = host.membership().current().orElseThrow().nodeId();
    host.put(
        Rows.NODE_SPEC.key("w1"), NodeSpecRow.newBuilder().setId("w1").setSpec(NodeSpec.newBuilder().setRole("worker")).build());
    report("w1", cluster().getCertIssuerPublicKey());
    ClusterRow before = cluster();
    String tokens = tokens();

    rotate();
    assertThat(api.get("/v1.41/swarm")).contains("\"RootRotationInProgress\":true").contains(tokens);
    ByteString next = cluster().getRootRotation().getIssuerPublicKey();
    assertThat(next).isNotEqualTo(before.getCertIssuerPublicKey());
    X509Certificate link = certificate(cluster().getRootRotation().getCrossSignedPem());
    link.verify(certificate(before.getTrustRootPem()).getPublicKey());
    assertThat(link.getPublicKey().getEncoded()).isEqualTo(next.toByteArray());

    report(manager, next);
    assertThat(cluster().hasRootRotation()).as("w1 has not followed").isTrue();
    String expected = cluster().getRootRotation().getRootPem();
    report("w1", next);
    host.await("the end of the rotation", state -> !state.value(Rows.cluster()).hasRootRotation());
    assertThat(cluster().getTrustRootPem()).isEqualTo(expected);
    assertThat(cluster().getCertIssuerPublicKey()).isEqualTo(next);
    assertThat(api.get("/v1.41/swarm")).contains("\"RootRotationInProgress\":false").doesNotContain(tokens);
    ClusterKey key = ClusterKey.read(host.dataFolder("identity"));
    byte[] sealed = key.open(SealedRows.authorityKey(), host.view().state().value(SealedRows.authorityKey()));
    assertThat(CertificateAuthority.of(expected, sealed).publicKey()).as("the key fits the root").isEqualTo(next.toByteArray());
    assertThat(host.view().state().has(SealedRows.nextAuthorityKey())).isFalse();
  }

  @Test
  void anotherOneMeanwhileReplacesIt() throws Exception {
    String manager = host.membership().current().orElseThrow().nodeId();
    rotate();
    ByteString given = cluster().getRootRotation().getIssuerPublicKey();
    rotate();
    report(manager, given);
    assertThat(cluster().hasRootRotation()).isTrue();
    report(manager, cluster().getRootRotation().getIssuerPublicKey());
    host.await("the end of the second", state -> !state.value(Rows.cluster()).hasRootRotation());
    assertThat(cluster().getCertIssuerPublicKey()).isNotEqualTo(given);
    rotate();
    assertThat(cluster().hasRootRotation()).as("a third, later").isTrue();
  }

  private String tokens() throws Exception {
    Matcher found = Pattern.compile("\"JoinTokens\":\\{[^}]*\\}").matcher(api.get("/v1.41/swarm"));
    assertThat(found.find()).isTrue();
    return found.group();
  }
}
