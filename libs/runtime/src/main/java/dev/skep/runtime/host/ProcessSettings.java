package dev.skep.runtime.host;

import dev.skep.backend.Access;
import dev.skep.runtime.config.AccessSettings;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.identity.StoreAccess;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a process of one service is told, whichever service it is.
 *
 * @param data durable files
 * @param run sockets
 * @param identity the folder that says who this host is in the cluster, which its processes share; empty: it is nobody
 * @param store where the cluster's state is
 * @param storeAccess as whom it goes there
 * @param log where its event log is; empty: the store's own change table, or none
 * @param logAccess as whom it goes there
 * @param listen where this process serves other hosts, in place of the address that the host was founded with
 * @param advertise host:port where other managers reach this process there; empty: the address of this machine or container
 * @param peers host:port of services that run in other processes, by component; of one that is not named: the managers that are known
 * @param metrics where /metrics, /live and /ready answer; empty: nowhere
 */
public record ProcessSettings(
    Path data,
    Path run,
    Optional<Path> identity,
    String store,
    Access storeAccess,
    Optional<String> log,
    Access logAccess,
    Optional<String> listen,
    Optional<String> advertise,
    Map<String, List<String>> peers,
    Optional<InetSocketAddress> metrics) {
  private static final Path DATA = Path.of("/var/lib/skep");
  private static final Path RUN = Path.of("/run/skep");
  private static final String LOOPBACK = "127.0.0.1";
  /** Those that others call. */
  private static final List<String> CALLED = List.of("control-api", "dispatcher");

  public ProcessSettings {
    peers = Map.copyOf(peers);
  }

  /** Of a process that knows neither store nor cluster. */
  public static ProcessSettings plain(Settings settings) {
    return new ProcessSettings(
        settings.path("data", DATA), settings.path("run", RUN), Optional.empty(), "", Access.PLAIN, Optional.empty(), Access.PLAIN, Optional.empty(),
        Optional.empty(), Map.of(),
        metrics(settings));
  }

  /** Of a process that is a member of the cluster. */
  public static ProcessSettings withIdentity(Settings settings) {
    ProcessSettings plain = plain(settings);
    Map<String, List<String>> peers = new TreeMap<>();
    for (String component : CALLED) {
      List<String> addresses = settings.of("peers").list(component);
      if (!addresses.isEmpty()) {
        peers.put(component, addresses);
      }
    }
    return new ProcessSettings(
        plain.data, plain.run, Optional.of(settings.path("identity", plain.data.resolve("identity"))), "", Access.PLAIN, Optional.empty(), Access.PLAIN,
        Optional.empty(), Optional.empty(), peers, plain.metrics);
  }

  /** Of a process that reads and writes the cluster's state. */
  public static ProcessSettings withStore(Settings settings) {
    return withStore(settings, "");
  }

  /** @param service which has users of its own in store and log where the identity folder has a folder of its name */
  public static ProcessSettings withStore(Settings settings, String service) {
    ProcessSettings member = withIdentity(settings);
    Path identity = StoreAccess.folder(member.identity.orElseThrow(), service);
    StoreAccess.complete(settings, identity);
    return new ProcessSettings(
        member.data,
        member.run,
        member.identity,
        StoreAccess.hiding(settings.text("store", "embedded:" + member.data.resolve("store")), identity),
        AccessSettings.from(settings, "store", Optional.of(identity)),
        settings.text("log"),
        AccessSettings.from(settings, "log", Optional.of(identity)),
        settings.text("listen"),
        settings.text("advertise"),
        member.peers,
        member.metrics);
  }

  private static Optional<InetSocketAddress> metrics(Settings settings) {
    int port = settings.port("metrics-port", 0);
    String address = settings.text("metrics-address", LOOPBACK);
    return port == 0 ? Optional.empty() : Optional.of(new InetSocketAddress(address, port));
  }

  /** A host as these settings want it, that heeds signals from its start on. */
  public HostBuilder builder(String name) {
    HostBuilder builder = HostBuilder.named(name).data(data).run(run).peers(peers).storeAccess(storeAccess).logAccess(logAccess).heedSignals();
    identity.ifPresent(builder::identity);
    listen.ifPresent(builder::listen);
    advertise.ifPresent(builder::peer);
    log.ifPresent(builder::log);
    metrics.ifPresent(builder::httpForAll);
    return builder;
  }
}
