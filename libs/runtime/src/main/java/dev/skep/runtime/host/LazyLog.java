package dev.skep.runtime.host;

import dev.skep.backend.ChangeLog;
import java.util.function.Supplier;

/** The event log, opened when it is first needed: most processes never do. */
final class LazyLog implements Supplier<ChangeLog>, AutoCloseable {
  private final Supplier<ChangeLog> opening;
  private ChangeLog open; // guarded by this

  LazyLog(Supplier<ChangeLog> opening) {
    this.opening = opening;
  }

  @Override
  public synchronized ChangeLog get() {
    if (open == null) {
      open = opening.get();
    }
    return open;
  }

  @Override
  public synchronized void close() {
    if (open != null) {
      open.close();
      open = null;
    }
  }
}
