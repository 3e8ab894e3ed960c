package dev.skep.testkit.kafka;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.Feature;

/**
 * The process that {@link KafkaServer} starts: formats the folder when it is new, starts a broker that is its own
 * controller, says so, and ends with a signal or with the process that started it.
 */
final class Broker {
  static final String READY = "ready";
  private static final String CLUSTER = "c2tlcC10ZXN0LWNsdXN0ZQ"; // sixteen bytes, as Kafka writes its ids

  private Broker() {}

  /** @param args settings file; users as {@code SCRAM-SHA-512=[name=…,password=…]} */
  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    try (Reader reader = Files.newBufferedReader(Path.of(args[0]))) {
      settings.load(reader);
    }
    Path folder = Path.of(settings.getProperty("log.dirs"));
    if (!Files.exists(folder.resolve("meta.properties"))) {
      format(folder, Integer.parseInt(settings.getProperty("node.id")), List.of(args).subList(1, args.length));
    }
    KafkaRaftServer server = new KafkaRaftServer(KafkaConfig.fromProps(settings, false), Time.SYSTEM);
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdown, "shutdown"));
    try {
      server.startup();
    } catch (Throwable e) { // threads that it began would keep the process, and whoever waits for it, for ever
      e.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
    System.out.println(READY);
    Thread.ofPlatform().daemon().name("parent").start(Broker::endWithParent);
    server.awaitShutdown();
  }

  private static void format(Path folder, int node, List<String> users) throws Exception {
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    Formatter formatter = new Formatter()
        .setPrintStream(new PrintStream(said, true, StandardCharsets.UTF_8))
        .setSupportedFeatures(Feature.PRODUCTION_FEATURES)
        .setClusterId(CLUSTER)
        .setNodeId(node)
        .addDirectory(folder.toString())
        .setMetadataLogDirectory(folder.toString())
        .setControllerListenerName(KafkaServer.CONTROLLER);
    if (!users.isEmpty()) {
      formatter.setScramArguments(users);
    }
    formatter.run();
  }

  private static void endWithParent() {
    try (InputStream parent = System.in) {
      while (parent.read() >= 0) {
        // it says nothing; only its end counts
      }
    } catch (IOException e) {
      // as good as its end
    }
    Runtime.getRuntime().halt(1);
  }
}
