package dev.skep.backend;

import dev.skep.backend.embedded.EmbeddedChangeLog;
import dev.skep.backend.embedded.SqliteStore;
import dev.skep.backend.etcd.EtcdConfig;
import dev.skep.backend.etcd.EtcdStore;
import dev.skep.backend.etcd.EtcdUsers;
import dev.skep.backend.embedded.StoreFile;
import dev.skep.backend.kafka.KafkaChangeLog;
import dev.skep.backend.kafka.KafkaConfig;
import dev.skep.backend.kafka.KafkaHistory;
import dev.skep.backend.kafka.KafkaLogWriter;
import dev.skep.backend.kafka.KafkaUsers;
import java.nio.file.Path;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Which backend a URI names: the one place that knows them all. */
public final class Backends {
  private static final String EMBEDDED = "embedded:";

  private Backends() {}

  /** Whether only one process can have this store open. */
  public static boolean alone(String uri) {
    return uri.startsWith(EMBEDDED);
  }

  /** As {@link #store(String, Access, Threads)}, for who needs no credentials. */
  public static Store store(String uri, Threads threads) {
    return store(uri, Access.PLAIN, threads);
  }

  /**
   * {@code embedded:/folder}, or {@code etcd://h1:2379,h2,h3[/prefix]}. Throws {@link IllegalArgumentException} for what
   * names no store. The classes of a backend are loaded when a URI asks for it.
   */
  public static Store store(String uri, Access access, Threads threads) {
    if (uri.startsWith(EMBEDDED) && uri.length() > EMBEDDED.length()) {
      return SqliteStore.open(Path.of(uri.substring(EMBEDDED.length())), threads);
    }
    if (EtcdConfig.names(uri)) {
      return EtcdStore.open(EtcdConfig.of(uri, access), threads);
    }
    throw new IllegalArgumentException("'" + uri + "' names no store that there is: use embedded:/<folder> or etcd://<host>,<host>,<host>");
  }

  /** All that a store holds, at one revision, while others use it: an embedded one is read beside the process that owns it. */
  public static Store.Snapshot look(String uri, Access access, Threads threads) {
    if (uri.startsWith(EMBEDDED) && uri.length() > EMBEDDED.length()) {
      return SqliteStore.look(Path.of(uri.substring(EMBEDDED.length())));
    }
    try (Store store = store(uri, access, threads)) {
      return store.read("");
    }
  }

  /** As the next one, for who needs no credentials. */
  public static ChangeLog log(String uri, Store store, Threads threads, Supplier<String> epoch, UnaryOperator<Store.Change> publish) {
    return log(uri, Access.PLAIN, store, threads, epoch, publish);
  }

  /** {@code embedded:} is the store's own change table; {@code kafka://h1:9092,h2} the topic that the relay fills. */
  public static ChangeLog log(
      String uri, Access access, Store store, Threads threads, Supplier<String> epoch, UnaryOperator<Store.Change> publish) {
    if (embedded(uri) && store instanceof SqliteStore embedded) {
      return new EmbeddedChangeLog(embedded, epoch, publish);
    }
    if (relayed(uri)) {
      return new KafkaChangeLog(KafkaConfig.of(uri, access), threads, epoch);
    }
    throw noLog(uri);
  }

  /** Whether a relay has to fill this log: the embedded one is the store itself. */
  public static boolean relayed(String logUri) {
    return logUri.startsWith("kafka:");
  }

  /**
   * Whether a relay could fill this log: it is reached, we may write it, the topic is as it must be, and is made when it is
   * missing. Nothing is left there. Throws {@link StoreException} with what is wrong.
   */
  public static void tryLog(String uri, Access access) {
    if (relayed(uri)) {
      try (KafkaLogWriter writer = new KafkaLogWriter(KafkaConfig.of(uri, access))) {
        writer.rehearse();
      }
    } else if (!embedded(uri)) {
      throw noLog(uri);
    }
  }

  /** The relay's side of a log that {@link #relayed} says yes to. */
  public static LogWriter writer(String uri, Access access) {
    if (relayed(uri)) {
      return new KafkaLogWriter(KafkaConfig.of(uri, access));
    }
    throw noLog(uri);
  }

  /** The address of a store for a user who may not read what is sealed there: it is left out of what is read and watched. */
  public static String withoutSealed(String uri) {
    return alone(uri) || uri.contains("sealed=hidden") ? uri : uri + (uri.contains("?") ? "&" : "?") + "sealed=hidden";
  }

  /** Who may use a store or a log on other machines. {@code access} is an administrator's. */
  public static Users users(String uri, Access access) {
    if (EtcdConfig.names(uri)) {
      return EtcdUsers.open(EtcdConfig.of(uri, access));
    }
    if (relayed(uri)) {
      return KafkaUsers.open(KafkaConfig.of(uri, access));
    }
    throw new IllegalArgumentException("'" + uri + "' has no users: they are for etcd://… and kafka://…");
  }

  /** For replay: a log as it stands, also while others use it. */
  public static LogHistory history(String uri, Access access) {
    if (embedded(uri)) {
      return StoreFile.open(folder(uri));
    }
    if (relayed(uri)) {
      return new KafkaHistory(KafkaConfig.of(uri, access));
    }
    throw noLog(uri);
  }

  private static IllegalArgumentException noLog(String uri) {
    return new IllegalArgumentException("'" + uri + "' names no log that there is: use embedded:/<folder> or kafka://<host>:<port>,<host>:<port>");
  }

  private static boolean embedded(String uri) {
    return uri.startsWith(EMBEDDED) && uri.length() > EMBEDDED.length();
  }

  private static Path folder(String uri) {
    return Path.of(uri.substring(EMBEDDED.length()));
  }
}
