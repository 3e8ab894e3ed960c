package dev.skep.dns.shell;

import dev.skep.dns.DnsConfig;
import dev.skep.dns.core.Query;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Asks other resolvers for what is not ours. Each question has sockets of its own, with a port of the kernel's choice
 * and an id from a secure source, so that nobody else can answer it. A resolver that is silent is not waited for: the
 * next one is asked too, the first good answer counts, and the silent one goes to the end of the line for a while.
 * One event loop owns everything here.
 */
final class Forwarder {
  /** Who is told: the reply's bytes, made ours; or null when nobody answered. */
  interface Answered {
    void reply(byte[] message, int length);
  }

  private static final long REST_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final int REMEMBERED = 1024;

  final EventLoop loop;
  final ByteBufAllocator allocator;
  final SecureRandom random = new SecureRandom();
  private final DnsConfig config;
  private final Map<Integer, Integer> bySource = new HashMap<>();
  private final Map<InetSocketAddress, Long> restUntil = new HashMap<>();
  private int inFlight;

  Forwarder(EventLoop loop, ByteBufAllocator allocator, DnsConfig config) {
    this.loop = loop;
    this.allocator = allocator;
    this.config = config;
  }

  /** False when too many questions wait already. {@code tcp}: the asker takes long answers. */
  boolean ask(byte[] message, Query query, int source, List<InetSocketAddress> servers, boolean tcp, Answered answered) {
    if (servers.isEmpty() || inFlight >= config.maxForwarded() || bySource.getOrDefault(source, 0) >= config.maxForwardedPerTask()) {
      return false;
    }
    inFlight++;
    bySource.merge(source, 1, Integer::sum);
    List<InetSocketAddress> order = awakeFirst(servers);
    long patience = rests(order.getFirst()) ? Math.min(config.giveUp().toNanos(), TimeUnit.SECONDS.toNanos(1)) : config.giveUp().toNanos();
    new Forwarding(this, message, query, order, tcp, config.retry().toNanos(), patience, new Ends(source, answered)).begin();
    return true;
  }

  int waiting() {
    return inFlight;
  }

  /** Gives back the place of a question when it ends. */
  final class Ends {
    private final int source;
    private final Answered answered;

    Ends(int source, Answered answered) {
      this.source = source;
      this.answered = answered;
    }

    void end(byte[] message, int length) {
      inFlight--;
      bySource.computeIfPresent(source, (key, count) -> count == 1 ? null : count - 1);
      answered.reply(message, length);
    }
  }

  void silent(InetSocketAddress server) {
    if (restUntil.size() >= REMEMBERED) {
      restUntil.clear();
    }
    restUntil.put(server, System.nanoTime() + REST_NANOS);
  }

  void answers(InetSocketAddress server) {
    restUntil.remove(server);
  }

  private boolean rests(InetSocketAddress server) {
    Long until = restUntil.get(server);
    return until != null && until - System.nanoTime() > 0;
  }

  private List<InetSocketAddress> awakeFirst(List<InetSocketAddress> servers) {
    if (restUntil.isEmpty()) {
      return servers;
    }
    List<InetSocketAddress> order = new ArrayList<>(servers);
    order.sort(Comparator.comparing(this::rests)); // stable: the configured order counts among equals
    return order;
  }
}
