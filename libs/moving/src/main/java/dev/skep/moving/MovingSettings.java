package dev.skep.moving;

import dev.skep.backend.Access;
import dev.skep.runtime.config.AccessSettings;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.users.Administration;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What the commands are told.
 *
 * @param data durable files of this machine's instance
 * @param run its sockets
 * @param identity who this host is in the cluster, where that is a folder of its own; else it is in {@code data}
 * @param store where the cluster's state is, or shall be
 * @param access as whom to go to a store on other machines, also to the one that the cluster moves to
 * @param file the backup
 * @param to where the cluster moves
 * @param log where its event log will be
 * @param logAccess as whom to go there
 * @param told store, log and what gets in there, as hosts are told it
 * @param administration who may make users there
 */
public record MovingSettings(
    Path data, Path run, Optional<Path> identity, String store, Access access, Optional<Path> file, Optional<String> to, Optional<String> log,
    Access logAccess, StoreAccess told, Administration administration) {

  /** A host that joined as a manager knows from its identity folder where the store is. */
  public static MovingSettings from(Settings told) {
    Path data = told.path("data", Path.of("/var/lib/skep"));
    Optional<Path> identity = told.text("identity").map(Path::of);
    // control-api reads and writes what is copied, where services have users of their own
    Path keys = StoreAccess.folder(identity.orElseGet(() -> data.resolve("identity")), "control-api");
    Settings settings = StoreAccess.complete(told, keys);
    String store = settings.text("store", "embedded:" + data.resolve("store"));
    String goal = settings.text("to", store);
    return new MovingSettings(
        data,
        settings.path("run", Path.of("/run/skep")),
        identity,
        store,
        AccessSettings.from(settings, "store", Optional.of(keys)),
        settings.text("file").map(Path::of),
        settings.text("to"),
        settings.text("log"),
        AccessSettings.from(settings, "log", Optional.of(keys)),
        StoreAccess.from(settings, store).at(goal),
        Administration.from(settings, store).at(goal));
  }

  /** A variable that these settings may come from; a service's container has others, for its service. */
  static boolean variable(String name) {
    return name.matches("SKEP_(DATA|RUN|IDENTITY|(STORE|LOG)(_.*)?)");
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
