package dev.skep.testkit.embedded;

import dev.skep.backend.Backends;
import dev.skep.backend.ChangeLog;
import dev.skep.backend.Store;

/** The process that {@link LoadedClassesTest} looks at: opens a store and its log, and closes them. */
final class OpenByUri {
  private OpenByUri() {}

  public static void main(String[] args) {
    try (Store store = Backends.store(args[0], TestThreads::start);
        ChangeLog log = Backends.log(args[0], store, TestThreads::start, () -> "", change -> change)) {
      if (log.end() != store.revision()) {
        throw new IllegalStateException("the embedded log is the store");
      }
    }
  }
}
