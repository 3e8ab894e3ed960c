package dev.skep.relay;

import dev.skep.relay.shell.Relaying;
import dev.skep.runtime.Component;
import dev.skep.runtime.Host;

/** Fills the event log: one record per revision of the store, by one relay of all at a time. */
public final class Relay implements Component {
  private final RelayConfig config;
  private Relaying relaying;

  public Relay(RelayConfig config) {
    this.config = config;
  }

  @Override
  public String name() {
    return "relay";
  }

  @Override
  public void start(Host host) {
    relaying = Relaying.start(host, config.log(), config.access(), config.rules());
  }

  @Override
  public void stop() {
    if (relaying != null) {
      relaying.close();
      relaying = null;
    }
  }
}
