package dev.skep.skepd.faults;

import dev.skep.allocator.Allocator;
import dev.skep.controlapi.ControlApi;
import dev.skep.controlapi.ControlApiConfig;
import dev.skep.dispatcher.DispatcherComponent;
import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.orchestrator.Orchestrator;
import dev.skep.relay.Relay;
import dev.skep.relay.RelayConfig;
import dev.skep.runtime.Component;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.host.Launch;
import dev.skep.runtime.host.ProcessSettings;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.scheduler.Scheduler;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A control service alone, as its own main starts it, or all deciders in one process, with a clock that the test moves:
 * {@code <service> <clock's file> <settings>}.
 */
final class ServiceMain {
  static final String DECIDERS = "deciders";

  private ServiceMain() {}

  public static void main(String[] args) {
    JumpingClock clock = new JumpingClock(Path.of(args[1]));
    Launch.run(args[0], Arrays.copyOfRange(args, 2, args.length), settings -> {
      ProcessSettings process = ProcessSettings.withStore(settings);
      HostBuilder builder =
          process.builder(args[0]).clock(clock).access(StoreAccess.from(settings, process.store()));
      List<String> components = args[0].equals(DECIDERS) ? List.of("orchestrator", "allocator", "scheduler") : List.of(args[0]);
      components.forEach(name -> builder.component(component(name, settings, process)));
      settings.refuseUnknown();
      return Optional.of(builder.startProcess(process.store()));
    });
  }

  private static Component component(String name, Settings settings, ProcessSettings process) {
    return switch (name) {
      case "control-api" -> new ControlApi(ControlApiConfig.from(settings, process.run()));
      case "dispatcher" -> new DispatcherComponent(DispatcherConfig.alone());
      case "orchestrator" -> new Orchestrator();
      case "allocator" -> new Allocator();
      case "scheduler" -> new Scheduler();
      case "relay" -> new Relay(RelayConfig.from(settings.of("relay"), process.log().orElse(process.store()), process.logAccess()));
      default -> throw new IllegalArgumentException("no service " + name);
    };
  }
}
