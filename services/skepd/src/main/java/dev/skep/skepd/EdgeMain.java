package dev.skep.skepd;

import dev.skep.dns.DnsComponent;
import dev.skep.dns.DnsConfig;
import dev.skep.ingress.IngressComponent;
import dev.skep.ingress.IngressConfig;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.host.EdgeHost;
import dev.skep.runtime.host.HostBuilder;

/** The process of published ports and names. It survives skepd, and is told by the agent what to serve. */
public final class EdgeMain {
  private EdgeMain() {}

  public static void main(String[] args) {
    Launch.run("edge", args, EdgeMain::start);
  }

  static EdgeHost start(Settings settings, SkepdConfig config) throws Exception {
    HostBuilder builder = HostBuilder.named("edge").data(config.data().resolve("edge")).run(config.run());
    config.metrics().ifPresent(builder::http);
    builder.component(new IngressComponent(IngressConfig.defaults())).component(new DnsComponent(DnsConfig.defaults()));
    settings.refuseUnknown();
    return builder.startEdge();
  }
}
