package dev.skep.skepd;

import dev.skep.runtime.config.Settings;
import dev.skep.runtime.config.SettingsException;
import dev.skep.runtime.host.BasicHost;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How a process of one machine begins and ends: settings, components, signals, exit codes. */
final class Launch {
  /** The settings are wrong: starting again will not help. */
  static final int MISCONFIGURED = 64;

  private static final Logger LOG = LoggerFactory.getLogger(Launch.class);

  /** Starts the process's host. */
  @FunctionalInterface
  interface Start {
    BasicHost start(Settings settings, SkepdConfig config) throws Exception;
  }

  private Launch() {}

  static void run(String name, String[] args, Start start) {
    try {
      Settings settings = settings(args);
      SkepdConfig config = SkepdConfig.from(settings);
      if (config.rehearse()) {
        Rehearsal.of(name, settings, start);
        return;
      }
      BasicHost host = start.start(settings, config);
      LOG.info("{} serves, with\n{}", name, settings.effective().stripTrailing());
      host.awaitStop();
      LOG.info("{} ends", name);
      host.close();
    } catch (SettingsException e) {
      LOG.error("{} cannot start: {}", name, e.getMessage());
      System.exit(MISCONFIGURED);
    } catch (Exception e) {
      LOG.error("{} cannot start: {}", name, e.getMessage(), e);
      System.exit(BasicHost.FAILED);
    }
  }

  /** {@code --config=FILE} names a properties file; flags and variables win over it. */
  private static Settings settings(String[] args) {
    String flag = "--config=";
    Optional<Path> file = Arrays.stream(args).filter(arg -> arg.startsWith(flag)).map(arg -> Path.of(arg.substring(flag.length()))).findFirst();
    List<String> others = Arrays.stream(args).filter(arg -> !arg.startsWith(flag)).toList();
    return Settings.load(file, System.getenv(), others);
  }
}
