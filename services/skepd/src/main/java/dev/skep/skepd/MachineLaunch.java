package dev.skep.skepd;

import dev.skep.runtime.config.Settings;
import dev.skep.runtime.host.BasicHost;
import dev.skep.runtime.host.Launch;
import java.util.Optional;

/** How a process of one machine begins: as every process does, or as the rehearsal of itself. */
final class MachineLaunch {
  /** Starts the process's host. */
  @FunctionalInterface
  interface Start {
    BasicHost start(Settings settings, SkepdConfig config) throws Exception;
  }

  private MachineLaunch() {}

  static void run(String name, String[] args, Start start) {
    Launch.run(name, args, settings -> {
      SkepdConfig config = SkepdConfig.from(settings);
      if (config.rehearse()) {
        Rehearsal.of(name, settings, start);
        return Optional.empty();
      }
      return Optional.of(start.start(settings, config));
    });
  }
}
