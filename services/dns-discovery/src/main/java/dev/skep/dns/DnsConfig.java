package dev.skep.dns;

import dev.skep.runtime.config.Settings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How the resolver runs.
 *
 * @param feedSocket where the agent offers the feed; empty: {@code edge.sock} in the run folder
 * @param port where it listens; 0: one is chosen at the first start and kept in the data folder
 * @param resolvConf the node's own resolvers, until the agent has told them once
 * @param maxForwarded questions that wait for other resolvers at one time; beyond, they fail at once
 * @param maxForwardedPerTask the same for one source address
 * @param retry silence after which the next resolver is asked too
 * @param giveUp how long other resolvers have altogether; less than a container waits for us
 * @param maxTcp open TCP connections
 * @param tcpIdle silence after which a TCP connection is closed
 */
public record DnsConfig(
    Optional<Path> feedSocket,
    int port,
    Path resolvConf,
    int maxForwarded,
    int maxForwardedPerTask,
    Duration retry,
    Duration giveUp,
    int maxTcp,
    Duration tcpIdle) {
  public static DnsConfig defaults() {
    return new DnsConfig(
        Optional.empty(),
        0,
        Path.of("/etc/resolv.conf"),
        1024,
        256,
        Duration.ofMillis(700),
        Duration.ofSeconds(3),
        512,
        Duration.ofSeconds(10));
  }

  /** Reads the keys {@code feed-socket}, {@code port}, …; what is not given has the default. */
  public static DnsConfig from(Settings settings) {
    DnsConfig otherwise = defaults();
    return new DnsConfig(
        settings.text("feed-socket").map(Path::of),
        settings.port("port", otherwise.port),
        settings.path("resolv-conf", otherwise.resolvConf),
        (int) settings.number("max-forwarded", otherwise.maxForwarded),
        (int) settings.number("max-forwarded-per-task", otherwise.maxForwardedPerTask),
        settings.duration("retry", otherwise.retry),
        settings.duration("give-up", otherwise.giveUp),
        (int) settings.number("max-tcp", otherwise.maxTcp),
        settings.duration("tcp-idle", otherwise.tcpIdle));
  }

  public DnsConfig withFeedSocket(Path socket) {
    return new DnsConfig(Optional.of(socket), port, resolvConf, maxForwarded, maxForwardedPerTask, retry, giveUp, maxTcp, tcpIdle);
  }

  public DnsConfig withPort(int fixed) {
    return new DnsConfig(feedSocket, fixed, resolvConf, maxForwarded, maxForwardedPerTask, retry, giveUp, maxTcp, tcpIdle);
  }

  public DnsConfig withResolvConf(Path file) {
    return new DnsConfig(feedSocket, port, file, maxForwarded, maxForwardedPerTask, retry, giveUp, maxTcp, tcpIdle);
  }

  public DnsConfig withPatience(Duration next, Duration altogether) {
    return new DnsConfig(feedSocket, port, resolvConf, maxForwarded, maxForwardedPerTask, next, altogether, maxTcp, tcpIdle);
  }

  public DnsConfig withMaxForwarded(int questions) {
    return new DnsConfig(feedSocket, port, resolvConf, questions, maxForwardedPerTask, retry, giveUp, maxTcp, tcpIdle);
  }
}
