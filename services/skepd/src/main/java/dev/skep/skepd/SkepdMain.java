package dev.skep.skepd;

import dev.skep.agent.AgentComponent;
import dev.skep.agent.AgentConfig;
import dev.skep.allocator.Allocator;
import dev.skep.backend.Access;
import dev.skep.controlapi.ControlApi;
import dev.skep.controlapi.ControlApiConfig;
import dev.skep.dispatcher.DispatcherComponent;
import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.orchestrator.Orchestrator;
import dev.skep.relay.Relay;
import dev.skep.relay.RelayConfig;
import dev.skep.runtime.config.AccessSettings;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.feed.FeedServer;
import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.host.ProcessHost;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.users.Administration;
import dev.skep.scheduler.Scheduler;
import java.nio.file.Path;
import java.util.Optional;

/** The process of control services and agent: on an embedded store, or on the one that the cluster's managers share. */
public final class SkepdMain {
  private SkepdMain() {}

  public static void main(String[] args) {
    MachineLaunch.run("skepd", args, SkepdMain::start);
  }

  /** Deciders first, so that what the API accepts is acted on; the agent before the API, so that init finds its node. */
  static ProcessHost start(Settings settings, SkepdConfig config) throws Exception {
    HostBuilder builder = HostBuilder.named("skepd").data(config.data()).run(config.run()).heedSignals();
    config.metrics().ifPresent(builder::httpForAll);
    builder
        .component(new Orchestrator())
        .component(new Allocator())
        .component(new Scheduler())
        .component(new DispatcherComponent(DispatcherConfig.defaults()))
        .component(new AgentComponent(agent(settings.of("agent"), config)))
        .component(new ControlApi(
            ControlApiConfig.defaults().withApi(config.api()).withEngine(config.engine()).withGrpc(config.run().resolve("control.sock"))));
    Path identity = config.data().resolve("identity");
    String embedded = "embedded:" + config.data().resolve("store");
    Administration.known(settings);
    if (StoreAccess.read(identity).filter(StoreAccess::issued).isEmpty()) {
      Optional.of(Administration.from(settings, embedded)).filter(Administration::possible).ifPresent(builder::administration);
    }
    StoreAccess.completeAsHost(settings, identity);
    StoreAccess access = StoreAccess.from(settings, embedded);
    builder.storeAccess(AccessSettings.from(settings, "store", Optional.of(identity)));
    if (!access.log().isEmpty()) {
      Access toLog = AccessSettings.from(settings, "log", Optional.of(identity));
      builder.log(access.log()).logAccess(toLog).component(new Relay(RelayConfig.from(settings.of("relay"), access.log(), toLog)));
    }
    settings.refuseUnknown();
    return builder.access(access).startProcess(access.store());
  }

  static AgentConfig agent(Settings settings, SkepdConfig config) {
    AgentConfig defaults = AgentConfig.defaults();
    AgentConfig agent = defaults
        .withEngine(config.engine())
        .withInstance(config.instance())
        .withFeedSocket(config.run().resolve(FeedServer.SOCKET))
        .withParallelism((int) settings.number("starts", defaults.starts()), (int) settings.number("removals", defaults.removals()));
    return config.rehearse() ? Rehearsal.harmless(agent) : agent;
  }
}
