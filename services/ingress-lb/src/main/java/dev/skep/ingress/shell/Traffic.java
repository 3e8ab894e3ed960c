package dev.skep.ingress.shell;

import dev.skep.ingress.IngressConfig;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Counter;
import io.prometheus.client.Gauge;
import java.util.concurrent.atomic.AtomicInteger;

/** What all ports share: loops, bounds and counters. */
final class Traffic {
  final IngressConfig config;
  final EventLoopGroup loops;
  final ByteBufAllocator allocator;
  final WriteBufferWaterMark waterMark;
  final AtomicInteger connections = new AtomicInteger();
  final AtomicInteger flows = new AtomicInteger();
  final Counter accepted;
  final Counter refused;
  final Counter failedAttempts;
  final Counter udpFlows;

  Traffic(IngressConfig config, EventLoopGroup loops, ByteBufAllocator allocator, CollectorRegistry registry) {
    this.config = config;
    this.loops = loops;
    this.allocator = allocator;
    this.waterMark = new WriteBufferWaterMark(config.bufferBytes() / 2, config.bufferBytes());
    this.accepted =
        counter(registry, "skep_ingress_connections_total", "TCP connections accepted", "published", "service");
    this.refused = counter(registry, "skep_ingress_refused_total", "TCP connections reset before any byte", "published", "reason");
    this.failedAttempts =
        counter(registry, "skep_ingress_connect_failures_total", "Tasks that did not accept a connection", "published", "service");
    this.udpFlows = counter(registry, "skep_ingress_udp_flows_total", "UDP flows begun", "published", "service");
    gauge(registry, "skep_ingress_open_connections", "TCP connections open now", connections);
    gauge(registry, "skep_ingress_open_flows", "UDP flows open now", flows);
  }

  private static Counter counter(CollectorRegistry registry, String name, String help, String... labels) {
    return Counter.build(name, help).labelNames(labels).register(registry);
  }

  private static void gauge(CollectorRegistry registry, String name, String help, AtomicInteger value) {
    Gauge.build(name, help)
        .create()
        .setChild(
            new Gauge.Child() {
              @Override
              public double get() {
                return value.get();
              }
            })
        .register(registry);
  }
}
