package dev.skep.load.edge;

import dev.skep.dns.DnsComponent;
import dev.skep.dns.DnsConfig;
import dev.skep.ingress.IngressComponent;
import dev.skep.ingress.IngressConfig;
import dev.skep.runtime.host.EdgeHost;
import dev.skep.runtime.host.HostBuilder;
import java.nio.file.Path;

/** The edge as it runs on a node, without an agent: it starts from the feed on disk. */
public final class EdgeMain {
  private EdgeMain() {}

  /** Argument: the data folder. */
  public static void main(String[] arguments) throws Exception {
    Path data = Path.of(arguments[0]);
    IngressComponent ingress = new IngressComponent(IngressConfig.defaults());
    DnsComponent dns = new DnsComponent(DnsConfig.defaults().withPort(Ports.DNS_SKEP));
    try (EdgeHost host = HostBuilder.named("edge").data(data).run(data).heedSignals().component(ingress).component(dns).startEdge()) {
      host.awaitStop();
    }
  }
}
