package dev.skep.relay.shell;

import dev.skep.backend.Access;
import dev.skep.backend.Backends;
import dev.skep.relay.core.RelayCore;
import dev.skep.relay.core.Rules;
import dev.skep.runtime.Host;
import java.util.concurrent.atomic.AtomicReference;

/** A running relay: its mandate, its thread. Where the log is the store itself there is neither. */
public final class Relaying implements AutoCloseable {
  private final Mandate mandate; // null: nothing to relay
  private final RelayWork work;

  private Relaying(Mandate mandate, RelayWork work) {
    this.mandate = mandate;
    this.work = work;
  }

  /** @param log the event log's URI */
  public static Relaying start(Host host, String log, Access access, Rules rules) {
    if (!Backends.relayed(log)) {
      return new Relaying(null, null);
    }
    AtomicReference<RelayWork> later = new AtomicReference<>();
    Mandate mandate = new Mandate(host, () -> {
      RelayWork work = later.get();
      if (work != null) {
        work.wake();
      }
    });
    RelayWork work = new RelayWork(new RelayCore(rules), host.store(), Backends.writer(log, access), mandate, () -> host.view().state().revision(),
        new Onward(host.clock()), new RelayMetrics(host.metrics()));
    later.set(work);
    host.thread("relay", work);
    return new Relaying(mandate, work);
  }

  @Override
  public void close() {
    if (mandate != null) {
      mandate.close();
      work.close();
    }
  }
}
