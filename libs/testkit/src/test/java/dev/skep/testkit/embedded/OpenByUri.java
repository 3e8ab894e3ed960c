package dev.skep.testkit.embedded;

import dev.skep.backend.Backends;
import dev.skep.backend.Store;

/** The process that {@link LoadedClassesTest} looks at: opens a store, and closes it. */
final class OpenByUri {
  private OpenByUri() {}

  public static void main(String[] args) {
    try (Store store = Backends.store(args[0], TestThreads::start)) {
      store.revision();
    }
  }
}
