package dev.skep.skepd;

import dev.skep.dns.DnsComponent;
import dev.skep.dns.DnsConfig;
import dev.skep.ingress.IngressComponent;
import dev.skep.ingress.IngressConfig;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.feed.FeedServer;
import dev.skep.runtime.host.EdgeHost;
import dev.skep.runtime.host.HostBuilder;
import java.nio.file.Path;

/** The process of published ports and names. It survives skepd, and is told by the agent what to serve. */
public final class EdgeMain {
  private EdgeMain() {}

  public static void main(String[] args) {
    MachineLaunch.run("edge", args, EdgeMain::start);
  }

  static EdgeHost start(Settings settings, SkepdConfig config) throws Exception {
    HostBuilder builder = HostBuilder.named("edge").data(config.data().resolve("edge")).run(config.run()).heedSignals();
    config.metrics().ifPresent(builder::httpForAll);
    Path feed = config.run().resolve(FeedServer.SOCKET);
    builder.component(new IngressComponent(IngressConfig.defaults().withFeedSocket(feed))).component(new DnsComponent(DnsConfig.defaults().withFeedSocket(feed)));
    settings.refuseUnknown();
    return builder.startEdge();
  }
}
