package dev.skep.load.placement;

import dev.skep.testkit.etcd.EtcdServer;
import dev.skep.testkit.kafka.KafkaServer;
import java.nio.file.Path;
import java.util.Optional;

/** What a form keeps its state in: one etcd and one broker with their defaults, or nothing but a folder. */
record Servers(Optional<EtcdServer> etcd, Optional<KafkaServer> kafka) implements AutoCloseable {
  static final String TOPIC = "skep.changes";

  static Servers start(String form) throws Exception {
    return switch (form) {
      case "embedded" -> new Servers(Optional.empty(), Optional.empty());
      case "etcd" -> {
        EtcdServer etcd = EtcdServer.start();
        try {
          yield new Servers(Optional.of(etcd), Optional.of(KafkaServer.start()));
        } catch (Throwable e) {
          etcd.close();
          throw e;
        }
      }
      default -> throw new IllegalArgumentException("form=" + form + "; there are etcd and embedded");
    };
  }

  String store(Path folder) {
    return etcd.map(server -> "etcd://" + server.endpoint()).orElse("embedded:" + folder.resolve("store"));
  }

  Optional<String> log() {
    return kafka.map(server -> server.uri(TOPIC));
  }

  @Override
  public void close() {
    kafka.ifPresent(KafkaServer::close);
    etcd.ifPresent(EtcdServer::close);
  }
}
