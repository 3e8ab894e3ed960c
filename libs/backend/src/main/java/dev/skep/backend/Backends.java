package dev.skep.backend;

import dev.skep.backend.embedded.EmbeddedChangeLog;
import dev.skep.backend.embedded.SqliteStore;
import dev.skep.backend.etcd.EtcdConfig;
import dev.skep.backend.etcd.EtcdStore;
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

  /** {@code embedded:} is the store's own change table. */
  public static ChangeLog log(String uri, Store store, Supplier<String> epoch, UnaryOperator<Store.Change> publish) {
    if (uri.startsWith(EMBEDDED) && store instanceof SqliteStore embedded) {
      return new EmbeddedChangeLog(embedded, epoch, publish);
    }
    throw refused("log", uri, "kafka://");
  }

  private static IllegalArgumentException refused(String what, String uri, String cluster) {
    return new IllegalArgumentException(uri.startsWith(cluster)
        ? "the " + what + " " + uri + " comes with the cluster form, which this version does not have yet: use embedded:/<folder>"
        : "'" + uri + "' names no " + what + " that there is: use embedded:/<folder>");
  }
}
