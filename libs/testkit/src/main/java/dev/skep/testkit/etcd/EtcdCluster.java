package dev.skep.testkit.etcd;

import dev.skep.testkit.net.Ports;
import dev.skep.testkit.net.Site;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Several etcd processes that are one cluster. */
public final class EtcdCluster implements AutoCloseable {
  private final List<EtcdServer> servers;

  private EtcdCluster(List<EtcdServer> servers) {
    this.servers = servers;
  }

  /** So many members, running and healthy. */
  public static EtcdCluster start(int members, String... flags) throws IOException, InterruptedException {
    return start(Collections.nCopies(members, Site.LOOPBACK), flags);
  }

  /** A member at each of these places. */
  public static EtcdCluster start(List<Site> sites, String... flags) throws IOException, InterruptedException {
    int members = sites.size();
    List<Integer> ports = Ports.free(3 * members);
    String all = IntStream.range(0, members)
        .mapToObj(i -> "m" + i + "=" + EtcdServer.peer(sites.get(i), ports.get(3 * i + 1))).collect(Collectors.joining(","));
    List<String> common = new ArrayList<>(List.of("--initial-cluster-state", "new"));
    common.addAll(List.of(flags));
    EtcdCluster cluster = new EtcdCluster(new ArrayList<>());
    try {
      for (int i = 0; i < members; i++) {
        EtcdServer server = new EtcdServer("m" + i, sites.get(i), ports.subList(3 * i, 3 * i + 3), all, Optional.empty(), common);
        cluster.servers.add(server);
        server.begin();
      }
      for (EtcdServer server : cluster.servers) {
        server.awaitHealthy();
      }
      return cluster;
    } catch (Throwable e) {
      cluster.close();
      throw e;
    }
  }

  public List<EtcdServer> servers() {
    return servers;
  }

  public List<String> endpoints() {
    return servers.stream().map(EtcdServer::endpoint).toList();
  }

  /** {@code etcd://…} with all members. */
  public String uri() {
    return "etcd://" + String.join(",", endpoints());
  }

  /** The member that leads; waits until there is one. */
  public EtcdServer leader() throws InterruptedException {
    long end = System.nanoTime() + EtcdServer.PATIENCE.toNanos();
    while (System.nanoTime() - end < 0) {
      for (EtcdServer server : servers) {
        if (server.leads()) {
          return server;
        }
      }
    }
    throw new AssertionError("no member of etcd leads: " + servers.stream().map(EtcdServer::log).toList());
  }

  @Override
  public void close() {
    servers.forEach(EtcdServer::close);
  }
}
