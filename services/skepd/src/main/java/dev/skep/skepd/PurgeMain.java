package dev.skep.skepd;

import dev.skep.agent.shell.AgentPurge;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.config.SettingsException;
import dev.skep.runtime.host.Launch;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Removes everything of an instance from engine and kernel, with no daemon running. Ends with 1 when something stayed. */
public final class PurgeMain {
  private static final Logger LOG = LoggerFactory.getLogger(PurgeMain.class);

  private PurgeMain() {}

  public static void main(String[] args) {
    try {
      SkepdConfig config = SkepdConfig.from(Settings.load(Optional.empty(), Map.of(), List.of(args)));
      List<String> problems = AgentPurge.purge(config.engine(), config.instance());
      problems.forEach(problem -> LOG.error("not removed: {}", problem));
      System.exit(problems.isEmpty() ? 0 : 1);
    } catch (SettingsException e) {
      LOG.error("{}", e.getMessage());
      System.exit(Launch.MISCONFIGURED);
    } catch (Exception e) {
      LOG.error("the purge did not finish: {}", e.getMessage(), e);
      System.exit(1);
    }
  }
}
