package dev.skep.relay;

import dev.skep.runtime.host.Launch;

/** The relay in a process of its own. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    Launch.control("relay", args, (settings, process) ->
        new Relay(RelayConfig.from(settings.of("relay"), process.log().orElse(process.store()), process.logAccess())));
  }
}
