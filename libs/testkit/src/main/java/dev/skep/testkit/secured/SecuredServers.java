package dev.skep.testkit.secured;

import dev.skep.backend.Access;
import dev.skep.backend.Access.Credentials;
import dev.skep.backend.Access.TlsFiles;
import dev.skep.runtime.identity.ServerCertificates;
import dev.skep.testkit.etcd.EtcdServer;
import dev.skep.testkit.kafka.KafkaServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The servers of a secured cluster on loopback, with the certificates that {@code skep admin certificates} makes: etcd on TLS,
 * a broker that takes users (SCRAM) over TLS, and brokers and administrators by certificate at its second port.
 */
public final class SecuredServers implements AutoCloseable {
  private final Path folder;
  private final boolean asksClients;
  private EtcdServer etcd;
  private KafkaServer kafka;

  private SecuredServers(Path folder, boolean asksClients) {
    this.folder = folder;
    this.asksClients = asksClients;
  }

  /** @param folder where certificates go; whoever made it deletes it */
  public static SecuredServers start(Path folder) throws Exception {
    return start(folder, false);
  }

  /** @param asksClients etcd lets nobody in who has no certificate, whatever user it is */
  public static SecuredServers start(Path folder, boolean asksClients) throws Exception {
    SecuredServers servers = new SecuredServers(folder, asksClients);
    try {
      servers.certify();
      servers.etcd = startEtcd(folder, asksClients);
      servers.kafka = startKafka(folder, Map.of());
      return servers;
    } catch (Throwable e) {
      servers.close();
      throw e;
    }
  }

  /** The broker alone. */
  public static SecuredServers startKafkaOnly(Path folder) throws Exception {
    SecuredServers servers = new SecuredServers(folder, false);
    servers.certify();
    servers.kafka = startKafka(folder, Map.of());
    return servers;
  }

  private void certify() throws IOException {
    ServerCertificates certificates = ServerCertificates.in(folder, Instant.now(), new SecureRandom());
    certificates.server("etcd1", List.of());
    certificates.server("kafka1", List.of());
    certificates.client("admin");
    certificates.secret("root.password", "root-pass");
  }

  private static EtcdServer startEtcd(Path folder, boolean asksClients) throws Exception {
    Path own = folder.resolve("etcd1");
    return EtcdServer.start(Optional.of(new EtcdServer.Tls(own.resolve("ca.pem"), own.resolve("server.pem"), own.resolve("server-key.pem"), asksClients)));
  }

  private static KafkaServer startKafka(Path folder, Map<String, String> more) {
    Path own = folder.resolve("kafka1");
    Map<String, String> settings = new HashMap<>(Map.of(
        "listener.security.protocol.map", "CLIENT:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL",
        "ssl.keystore.type", "PEM",
        "ssl.keystore.location", own.resolve("keystore.pem").toString(),
        "ssl.truststore.type", "PEM",
        "ssl.truststore.location", own.resolve("ca.pem").toString(),
        "sasl.enabled.mechanisms", "SCRAM-SHA-512",
        "authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users", "User:CN=kafka1;User:CN=admin"));
    settings.put("listener.name.client.scram-sha-512.sasl.jaas.config", "org.apache.kafka.common.security.scram.ScramLoginModule required;");
    settings.put("listener.name.internal.ssl.client.auth", "required");
    settings.put("listener.name.controller.ssl.client.auth", "required");
    settings.putAll(more);
    return KafkaServer.start(settings, List.of());
  }

  public Path root() {
    return folder.resolve("ca.pem");
  }

  public EtcdServer etcd() {
    return etcd;
  }

  public KafkaServer kafka() {
    return kafka;
  }

  /** With patience: the machine may have other things to do. */
  public String store() {
    return "etcd://" + etcd.endpoint() + "?timeout=60s&silence=20s";
  }

  /** For users. */
  public String log() {
    return "kafka://" + kafka.address();
  }

  /** For administrators. */
  public String adminLog() {
    return "kafka://" + kafka.internalAddress();
  }

  /** As etcd's first user. */
  public Access storeRoot() {
    return asksClients ? new Access(Optional.of(new Credentials("root", "root-pass")), logRoot().tls()) : as("root", "root-pass");
  }

  /** As the administrator whom the broker knows by certificate. */
  public Access logRoot() {
    return new Access(Optional.empty(), Optional.of(new TlsFiles(root(), Optional.of(folder.resolve("admin.pem")), Optional.of(folder.resolve("admin-key.pem")))));
  }

  public Access as(String user, String password) {
    return new Access(Optional.of(new Credentials(user, password)), Optional.of(new TlsFiles(root(), Optional.empty(), Optional.empty())));
  }

  /** The settings of {@code skep admin} here, as flags. */
  public List<String> administrator() {
    List<String> flags = new ArrayList<>(List.of("--store=" + store(), "--store.user=root", "--store.password-file=" + folder.resolve("root.password"), "--store.ca=" + root(),
        "--log=" + log(), "--admin-log=" + adminLog(), "--log.ca=" + root(), "--log.certificate=" + folder.resolve("admin.pem"),
        "--log.key=" + folder.resolve("admin-key.pem")));
    if (asksClients) {
      flags.addAll(List.of("--store.certificate=" + folder.resolve("admin.pem"), "--store.key=" + folder.resolve("admin-key.pem"),
          "--client-ca=" + root(), "--client-ca-key=" + folder.resolve("ca-key.pem")));
    }
    return flags;
  }

  /** The password of etcd's first user, as it stands in the file. */
  public String rootPassword() throws IOException {
    return Files.readString(folder.resolve("root.password")).strip();
  }

  @Override
  public void close() {
    if (kafka != null) {
      kafka.close();
    }
    if (etcd != null) {
      etcd.close();
    }
  }
}
