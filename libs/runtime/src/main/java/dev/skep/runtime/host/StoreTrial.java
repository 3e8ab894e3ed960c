package dev.skep.runtime.host;

import dev.skep.backend.Access;
import dev.skep.backend.Backends;
import dev.skep.backend.ChangeLog;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.backend.Threads;
import dev.skep.runtime.config.AccessSettings;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.identity.StoreAccess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Goes to a store and a log once, as a process of this host would: one that they do not let in is no manager. */
record StoreTrial(Threads threads) implements Consumer<StoreAccess> {
  @Override
  public void accept(StoreAccess access) {
    Path folder = null;
    try {
      folder = Files.createTempDirectory("skep-store"); // for nobody else: mode 0700
      access.write(folder);
      try (Store store = Backends.store(access.store(), as("store", folder), threads)) {
        step("the store " + access.store(), store::revision);
        if (!access.log().isEmpty()) {
          try (ChangeLog log = Backends.log(access.log(), as("log", folder), store, threads, () -> "", change -> change)) {
            step("the log " + access.log(), log::end);
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write down what gets this host into the store", e);
    } finally {
      remove(folder);
    }
  }

  private static Access as(String scope, Path folder) {
    return AccessSettings.from(Settings.none(), scope, Optional.of(folder));
  }

  private static void step(String what, Runnable asked) {
    try {
      asked.run();
    } catch (StoreException e) {
      throw new StoreException(what + " cannot be used from this host: " + e.getMessage(), e);
    }
  }

  private static void remove(Path folder) {
    if (folder == null) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      List<Path> all = files.sorted(Comparator.reverseOrder()).toList();
      for (Path file : all) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot remove " + folder, e);
    }
  }
}
