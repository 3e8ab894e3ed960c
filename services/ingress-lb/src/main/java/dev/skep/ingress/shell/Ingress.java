package dev.skep.ingress.shell;

import dev.skep.ingress.IngressConfig;
import dev.skep.runtime.net.Handover;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.prometheus.client.CollectorRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The data plane of one node: event loops and open ports, until it is drained. */
public final class Ingress {
  private static final Logger LOG = LoggerFactory.getLogger(Ingress.class);
  /** With this on, the kernel hands connections that wait at a closed listener to the other one at the same port. */
  private static final Path MIGRATE = Path.of("/proc/sys/net/ipv4/tcp_migrate_req");
  private static final Duration MIGRATION = Duration.ofMillis(500);
  private static final Duration LOOK = Duration.ofMillis(20);

  private final IngressConfig config;
  private final EventLoopGroup loops;
  private final Traffic traffic;
  private final OpenPorts ports;

  public Ingress(IngressConfig config, Handover handover, CollectorRegistry registry, Runnable problemsChanged) {
    this.config = config;
    this.loops = new MultiThreadIoEventLoopGroup(config.eventLoops(), new DefaultThreadFactory("ingress", true), EpollIoHandler.newFactory());
    this.traffic = new Traffic(config, loops, PooledByteBufAllocator.DEFAULT, registry);
    this.ports = new OpenPorts(traffic, handover, problemsChanged);
  }

  public OpenPorts ports() {
    return ports;
  }

  public int openConnections() {
    return traffic.connections.get();
  }

  public int openFlows() {
    return traffic.flows.get();
  }

  /**
   * Blocks: closes the listeners, waits for open connections, cuts what lasts longer. With a {@code successor} at the
   * same ports, connections that the kernel has not finished to establish go over to it.
   */
  public void drain(boolean successor) throws InterruptedException {
    if (loops.isShuttingDown()) {
      return;
    }
    boolean switched = successor && migrate("0", "1");
    try {
      ports.close().sync();
      long start = System.nanoTime();
      while (switched || (openConnections() > 0 && System.nanoTime() - start < config.drain().toNanos())) {
        TimeUnit.NANOSECONDS.sleep(LOOK.toNanos());
        if (switched && System.nanoTime() - start > MIGRATION.toNanos()) {
          migrate("1", "0");
          switched = false;
        }
      }
      if (openConnections() > 0) {
        LOG.info("{} connections did not end within {}, they are cut", openConnections(), config.drain());
      }
      loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
    } finally {
      if (switched) {
        migrate("1", "0");
      }
    }
  }

  private static boolean migrate(String from, String to) {
    try {
      if (!Files.readString(MIGRATE).strip().equals(from)) {
        return false;
      }
      Files.writeString(MIGRATE, to);
      return true;
    } catch (IOException readOnly) {
      // Then connections that wait at the closing listener, a few at most, are reset.
      LOG.debug("no migration of waiting connections: {}", readOnly.toString());
      return false;
    }
  }
}
