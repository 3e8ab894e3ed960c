package dev.skep.load.edge;

import dev.skep.api.v1.PortConfig;
import dev.skep.feed.v1.EndpointAddress;
import dev.skep.feed.v1.EndpointEntry;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.feed.v1.NetworkEntry;
import dev.skep.feed.v1.ServiceEntry;
import dev.skep.feed.v1.ServiceNetwork;
import dev.skep.runtime.feed.FeedFile;
import dev.skep.state.FeedState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.stream.IntStream;

/** Starts everything that is compared, each with its configuration in the work folder. */
final class Contenders implements AutoCloseable {
  static final int NAMES = 10_000;

  private final Path work;
  final Map<Ports.Proxy, Pinned> proxies = new EnumMap<>(Ports.Proxy.class);
  final Map<String, Pinned> resolvers = new LinkedHashMap<>();

  Contenders(Path work) {
    this.work = work;
  }

  void start() throws Exception {
    Pinned edge = edge();
    edge.awaitPort(Ports.Proxy.SKEP.base);
    edge.awaitPort(Ports.DNS_SKEP);
    proxies.put(Ports.Proxy.SKEP, edge);
    proxies.put(Ports.Proxy.HAPROXY, haproxy());
    proxies.put(Ports.Proxy.NGINX, nginx());
    resolvers.put("skep", edge);
    resolvers.put("dnsmasq", dnsmasq());
    resolvers.put("unbound", unbound());
    proxies.get(Ports.Proxy.HAPROXY).awaitPort(Ports.Proxy.HAPROXY.base);
    proxies.get(Ports.Proxy.NGINX).awaitPort(Ports.Proxy.NGINX.base);
    resolvers.get("dnsmasq").awaitPort(Ports.DNS_DNSMASQ);
    resolvers.get("unbound").awaitPort(Ports.DNS_UNBOUND);
  }

  static int dnsPort(String resolver) {
    return switch (resolver) {
      case "skep" -> Ports.DNS_SKEP;
      case "dnsmasq" -> Ports.DNS_DNSMASQ;
      default -> Ports.DNS_UNBOUND;
    };
  }

  static String address(int name) {
    return "10.9." + name / 250 + "." + (1 + name % 250);
  }

  private Pinned edge() throws IOException {
    Path data = work.resolve("edge");
    for (String component : List.of("ingress-lb", "dns-discovery")) {
      Files.createDirectories(data.resolve(component));
      new FeedFile(data.resolve(component).resolve("feed")).write(feed());
    }
    List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java"));
    command.addAll(List.of(System.getenv().getOrDefault("SKEP_EDGE_JAVA",
        "-Xmx64m -XX:MaxDirectMemorySize=64m -XX:+UseSerialGC -XX:+UseCompactObjectHeaders -Xss512k").split(" ")));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
        "-cp", System.getProperty("java.class.path"), EdgeMain.class.getName(), data.toString()));
    return new Pinned("edge", work.resolve("edge.log"), command);
  }

  /** Two services behind published ports with two tasks each, and ten thousand names. */
  private static FeedState feed() {
    FeedUpdate.Builder update = FeedUpdate.newBuilder().setEpoch("bench").setRevision(1).setComplete(true);
    update.addPut(FeedEntry.newBuilder().setKey("network/ing").setNetwork(NetworkEntry.newBuilder().setId("ing").setName("ingress").setIngress(true)));
    update.addPut(FeedEntry.newBuilder().setKey("network/net").setNetwork(
        NetworkEntry.newBuilder().setId("net").setName("net").setSubnet("10.9.0.0/16")));
    int[] targets = {Ports.ECHO, Ports.STREAM};
    for (int n = 0; n < targets.length; n++) {
      String id = "svc" + n;
      update.addPut(FeedEntry.newBuilder().setKey("service/" + id).setService(ServiceEntry.newBuilder().setId(id).setName(id)
          .addPorts(PortConfig.newBuilder().setProtocol("tcp").setPublishedPort(Ports.Proxy.SKEP.base + n).setTargetPort(targets[n]))));
      for (int task = 0; task < Ports.BACKENDS.length; task++) {
        update.addPut(FeedEntry.newBuilder().setKey("endpoint/" + id + task).setEndpoint(
            EndpointEntry.newBuilder().setTaskId(id + task).setServiceId(id).setSlot(task).setServing(true).setName(id + "." + task)
                .addAddresses(EndpointAddress.newBuilder().setNetworkId("ing").setAddress(Ports.BACKENDS[task]))));
      }
    }
    update.addPut(FeedEntry.newBuilder().setKey("endpoint/asker").setEndpoint(EndpointEntry.newBuilder().setTaskId("asker").setServiceId("n0")
        .addAddresses(EndpointAddress.newBuilder().setNetworkId("net").setAddress(Ports.ASKER))));
    for (int n = 0; n < NAMES; n++) {
      update.addPut(FeedEntry.newBuilder().setKey("service/n" + n).setService(ServiceEntry.newBuilder().setId("n" + n).setName("name" + n)
          .addNetworks(ServiceNetwork.newBuilder().setNetworkId("net").setVip(address(n)))));
    }
    return ((FeedState.Outcome.Moved) FeedState.empty().apply(update.build())).state();
  }

  private Pinned haproxy() throws IOException {
    StringBuilder config = new StringBuilder("global\n  nbthread 1\n  maxconn 4000\ndefaults\n  mode tcp\n  timeout connect 1s\n"
        + "  timeout client 60s\n  timeout server 60s\n  option splice-auto\n");
    int[] targets = {Ports.ECHO, Ports.STREAM};
    for (int n = 0; n < targets.length; n++) {
      config.append("listen l").append(n).append("\n  bind 0.0.0.0:").append(Ports.Proxy.HAPROXY.base + n).append("\n  balance roundrobin\n");
      for (int b = 0; b < Ports.BACKENDS.length; b++) {
        config.append("  server b").append(b).append(' ').append(Ports.BACKENDS[b]).append(':').append(targets[n]).append('\n');
      }
    }
    Path file = Files.writeString(work.resolve("haproxy.cfg"), config);
    return new Pinned("haproxy", work.resolve("haproxy.log"), List.of("/usr/sbin/haproxy", "-db", "-f", file.toString()));
  }

  private Pinned nginx() throws IOException {
    StringBuilder config = new StringBuilder("load_module /usr/lib/nginx/modules/ngx_stream_module.so;\ndaemon off;\nmaster_process off;\n"
        + "worker_processes 1;\npid " + work + "/nginx.pid;\nerror_log /dev/null;\nevents { worker_connections 8000; }\nstream {\n");
    int[] targets = {Ports.ECHO, Ports.STREAM};
    for (int n = 0; n < targets.length; n++) {
      config.append("  upstream u").append(n).append(" {\n");
      for (String backend : Ports.BACKENDS) {
        config.append("    server ").append(backend).append(':').append(targets[n]).append(";\n");
      }
      config.append("  }\n  server { listen 0.0.0.0:").append(Ports.Proxy.NGINX.base + n).append("; tcp_nodelay on; proxy_pass u").append(n).append("; }\n");
    }
    Path file = Files.writeString(work.resolve("nginx.conf"), config.append("}\n"));
    return new Pinned("nginx", work.resolve("nginx.log"), List.of("/usr/sbin/nginx", "-p", work.toString(), "-c", file.toString()));
  }

  private Pinned dnsmasq() throws IOException {
    Path hosts = Files.write(work.resolve("hosts"), IntStream.range(0, NAMES).mapToObj(n -> address(n) + " name" + n).toList());
    return new Pinned("dnsmasq", work.resolve("dnsmasq.log"), List.of("/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
        "--port=" + Ports.DNS_DNSMASQ, "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv", "--no-hosts", "--user=root",
        "--addn-hosts=" + hosts, "--local-ttl=1", "--cache-size=10000", "--pid-file=" + work.resolve("dnsmasq.pid")));
  }

  private Pinned unbound() throws IOException {
    StringBuilder config = new StringBuilder("server:\n  interface: 127.0.0.1@" + Ports.DNS_UNBOUND + "\n  num-threads: 1\n  do-daemonize: no\n"
        + "  chroot: \"\"\n  username: \"\"\n  directory: \"" + work + "\"\n  pidfile: \"" + work + "/unbound.pid\"\n  use-syslog: no\n  verbosity: 0\n"
        + "  access-control: 127.0.0.0/8 allow\n  local-zone: \".\" static\n");
    for (int n = 0; n < NAMES; n++) {
      config.append("  local-data: \"name").append(n).append(". 1 IN A ").append(address(n)).append("\"\n");
    }
    config.append("remote-control:\n  control-enable: no\n");
    Path file = Files.writeString(work.resolve("unbound.conf"), config);
    return new Pinned("unbound", work.resolve("unbound.log"), List.of("/usr/sbin/unbound", "-d", "-c", file.toString()));
  }

  @Override
  public void close() {
    proxies.values().forEach(Pinned::close);
    resolvers.values().forEach(Pinned::close);
  }
}
