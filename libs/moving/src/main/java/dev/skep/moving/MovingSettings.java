package dev.skep.moving;

import dev.skep.runtime.config.Settings;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * What the commands are told.
 *
 * @param data durable files of this machine's instance
 * @param run its sockets
 * @param identity who this host is in the cluster, where that is a folder of its own; else it is in {@code data}
 * @param store where the cluster's state is, or shall be
 * @param file the backup
 * @param to where the cluster moves
 * @param log where its event log will be
 */
public record MovingSettings(
    Path data, Path run, Optional<Path> identity, String store, Optional<Path> file, Optional<String> to, Optional<String> log) {
  static final Set<String> VARIABLES = Set.of("SKEP_DATA", "SKEP_RUN", "SKEP_IDENTITY", "SKEP_STORE", "SKEP_LOG");

  public static MovingSettings from(Settings settings) {
    Path data = settings.path("data", Path.of("/var/lib/skep"));
    return new MovingSettings(
        data,
        settings.path("run", Path.of("/run/skep")),
        settings.text("identity").map(Path::of),
        settings.text("store", "embedded:" + data.resolve("store")),
        settings.text("file").map(Path::of),
        settings.text("to"),
        settings.text("log"));
  }

  /** Where {@code cluster.key} lies. */
  public Path keys() {
    return identity.orElseGet(() -> data.resolve("identity"));
  }

  /** Where {@code membership.properties} lies. */
  public Path membership() {
    return identity.orElse(data);
  }
}
