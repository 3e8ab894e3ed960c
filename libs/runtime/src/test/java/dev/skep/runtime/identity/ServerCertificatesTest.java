package dev.skep.runtime.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Certificates for etcd and Kafka: a folder each, one root, and nothing made twice. */
class ServerCertificatesTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  @TempDir
  private Path folder;

  private ServerCertificates at(Instant now) throws IOException {
    return ServerCertificates.in(folder, now, new SecureRandom());
  }

  private static X509Certificate certificate(Path file) throws IOException {
    return Pem.certificates(Files.readString(file)).getFirst();
  }

  private String mode(String file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve(file)));
  }

  @Test
  void everyServerGetsAFolderThatIsAllItNeeds() throws Exception {
    assertThat(at(NOW).server("etcd1", List.of("10.0.0.2", "etcd.example"))).isTrue();
    at(NOW).client("admin");
    X509Certificate root = certificate(folder.resolve("ca.pem"));
    X509Certificate server = certificate(folder.resolve("etcd1/server.pem"));
    server.verify(root.getPublicKey());
    certificate(folder.resolve("admin.pem")).verify(root.getPublicKey());
    assertThat(server.getSubjectAlternativeNames().stream().map(name -> name.get(1).toString()).toList())
        .containsExactly("etcd1", "localhost", "127.0.0.1", "10.0.0.2", "etcd.example");
    assertThat(server.getSubjectX500Principal().getName()).isEqualTo("CN=etcd1");
    assertThat(Files.readString(folder.resolve("etcd1/keystore.pem")))
        .isEqualTo(Files.readString(folder.resolve("etcd1/server-key.pem")) + Files.readString(folder.resolve("etcd1/server.pem")));
    assertThat(Files.readString(folder.resolve("etcd1/ca.pem"))).isEqualTo(Files.readString(folder.resolve("ca.pem")));
    assertThat(mode("ca-key.pem")).isEqualTo("rw-------");
    assertThat(mode("admin-key.pem")).isEqualTo("rw-------");
    assertThat(mode("etcd1/server-key.pem")).as("servers have users of their own").isEqualTo("rw-r--r--");
  }

  @Test
  void whatIsGoodForLongStays() throws Exception {
    at(NOW).server("kafka1", List.of());
    at(NOW).secret("root.password", "first");
    String made = Files.readString(folder.resolve("kafka1/server.pem"));
    assertThat(at(NOW.plus(Duration.ofDays(30))).server("kafka1", List.of())).isFalse();
    at(NOW).secret("root.password", "second");
    assertThat(Files.readString(folder.resolve("root.password"))).isEqualTo("first\n");
    assertThat(Files.readString(folder.resolve("kafka1/server.pem"))).isEqualTo(made);
    assertThat(at(NOW.plus(Duration.ofDays(800))).server("kafka1", List.of())).as("a year before its end").isTrue();
    assertThat(Files.readString(folder.resolve("kafka1/server.pem"))).isNotEqualTo(made);
    certificate(folder.resolve("kafka1/server.pem")).verify(certificate(folder.resolve("ca.pem")).getPublicKey());
    Files.setPosixFilePermissions(folder.resolve("ca-key.pem"), PosixFilePermissions.fromString("rw-r--r--"));
    assertThatThrownBy(() -> at(NOW)).isInstanceOf(IOException.class);
  }
}
