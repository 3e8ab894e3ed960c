package dev.skep.runtime.host;

import dev.skep.runtime.Component;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.config.SettingsException;
import dev.skep.runtime.identity.StoreAccess;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How every process begins and ends: settings, components, signals, exit codes. */
public final class Launch {
  /** The settings are wrong: starting again will not help. */
  public static final int MISCONFIGURED = 64;

  private static final Logger LOG = LoggerFactory.getLogger(Launch.class);

  /** Starts the process's host; empty when there is nothing to wait for. */
  @FunctionalInterface
  public interface Start {
    Optional<BasicHost> start(Settings settings) throws Exception;
  }

  private Launch() {}

  /** A control service alone: with the cluster's store. The component reads its settings, those of the process are read already. */
  public static void control(String name, String[] args, BiFunction<Settings, ProcessSettings, Component> component) {
    run(name, args, settings -> {
      ProcessSettings process = ProcessSettings.withStore(settings, name);
      HostBuilder builder = process.builder(name).access(StoreAccess.from(settings, process.store())).component(component.apply(settings, process));
      settings.refuseUnknown();
      return Optional.of(builder.startProcess(process.store()));
    });
  }

  /** The agent alone: a member of the cluster without its rows. */
  public static void node(String name, String[] args, BiFunction<Settings, ProcessSettings, Component> component) {
    run(name, args, settings -> {
      ProcessSettings process = ProcessSettings.withIdentity(settings);
      HostBuilder builder = process.builder(name).component(component.apply(settings, process));
      settings.refuseUnknown();
      return Optional.of(builder.startNode());
    });
  }

  /** A part of the edge alone: it knows what the agent tells it. */
  public static void edge(String name, String[] args, BiFunction<Settings, ProcessSettings, Component> component) {
    run(name, args, settings -> {
      ProcessSettings process = ProcessSettings.plain(settings);
      HostBuilder builder = process.builder(name).component(component.apply(settings, process));
      settings.refuseUnknown();
      return Optional.of(builder.startEdge());
    });
  }

  /** Runs a process until it is asked to end. */
  public static void run(String name, String[] args, Start start) {
    try {
      Settings settings = settings(args);
      Optional<BasicHost> started = start.start(settings);
      if (started.isEmpty()) {
        return;
      }
      LOG.info("{} serves, with\n{}", name, settings.effective().stripTrailing());
      started.get().awaitStop();
      LOG.info("{} ends", name);
      started.get().close();
      if (started.get().again()) {
        System.exit(BasicHost.AGAIN);
      }
    } catch (SettingsException e) {
      LOG.error("{} cannot start: {}", name, e.getMessage());
      System.exit(MISCONFIGURED);
    } catch (Exception e) {
      LOG.error("{} cannot start: {}", name, e.getMessage(), e);
      System.exit(BasicHost.FAILED);
    }
  }

  /** {@code --config=FILE} names a properties file; flags and variables win over it. */
  public static Settings settings(String[] args) {
    String flag = "--config=";
    Optional<Path> file = Arrays.stream(args).filter(arg -> arg.startsWith(flag)).map(arg -> Path.of(arg.substring(flag.length()))).findFirst();
    List<String> others = Arrays.stream(args).filter(arg -> !arg.startsWith(flag)).toList();
    return Settings.load(file, System.getenv(), others);
  }
}
