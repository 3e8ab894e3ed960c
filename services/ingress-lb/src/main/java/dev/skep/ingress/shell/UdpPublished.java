package dev.skep.ingress.shell;

import dev.skep.ingress.core.Backend;
import dev.skep.ingress.core.Route;
import dev.skep.runtime.net.UdpPort;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DatagramPacket;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import io.netty.util.concurrent.ScheduledFuture;
import io.prometheus.client.Counter;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * A published UDP port. A flow is one client address asking one address of this node; it stays with its task until it
 * is idle, its task is withdrawn, or its task's host says that nobody listens. Everything runs on one event loop.
 */
final class UdpPublished implements OpenPort, UdpPort.Receiver {
  private record FlowKey(InetSocketAddress client, Channel asked) {}

  private final Traffic traffic;
  private final EventLoop loop;
  private final Rotation rotation;
  // least recently used first
  private final LinkedHashMap<FlowKey, UdpFlow> flows = new LinkedHashMap<>(16, 0.75f, true);
  private Counter.Child begun;
  private UdpPort port;
  private ScheduledFuture<?> sweep;

  private UdpPublished(Traffic traffic, EventLoop loop) {
    this.traffic = traffic;
    this.loop = loop;
    this.rotation = new Rotation(traffic.config.rest().toNanos());
  }

  /** Fails with the bind's IOException. */
  static Future<OpenPort> open(Traffic traffic, Route route) {
    EventLoop loop = traffic.loops.next();
    UdpPublished published = new UdpPublished(traffic, loop);
    published.take(route);
    Promise<OpenPort> promise = loop.newPromise();
    UdpPort.open(loop, route.published().port(), new UdpPort.Reads(65_535, 1), traffic.allocator, published)
        .addListener(
            (Future<UdpPort> done) -> {
              if (done.isSuccess()) {
                published.port = done.getNow();
                promise.setSuccess(published);
              } else {
                promise.setFailure(done.cause());
              }
            });
    return promise;
  }

  private void take(Route route) {
    rotation.replace(route.backends());
    begun = traffic.udpFlows.labels(route.published().toString(), route.serviceName());
  }

  @Override
  public Future<?> route(Route route) {
    return loop.submit(
        () -> {
          take(route);
          Set<Backend> kept = new HashSet<>(route.backends());
          List.copyOf(flows.values()).stream().filter(flow -> !kept.contains(flow.task())).forEach(UdpFlow::close);
        });
  }

  @Override
  public Future<?> close() {
    loop.execute(() -> List.copyOf(flows.values()).forEach(UdpFlow::close));
    return port.close();
  }

  @Override
  public void received(DatagramPacket packet, Channel from) {
    FlowKey key = new FlowKey(packet.sender(), from);
    UdpFlow flow = flows.get(key);
    if (flow == null) {
      flow = begin(key);
    }
    if (flow == null) {
      packet.release();
      return;
    }
    flow.used = System.nanoTime();
    flow.toTask(packet.content());
  }

  private UdpFlow begin(FlowKey key) {
    Backend task = rotation.next(List.of(), System.nanoTime());
    if (task == null) {
      return null;
    }
    if (traffic.flows.incrementAndGet() > traffic.config.maxFlows()) {
      if (flows.isEmpty()) {
        traffic.flows.decrementAndGet();
        return null;
      }
      flows.values().iterator().next().close();
    }
    UdpFlow flow = new UdpFlow(traffic, loop, task, key.client(), key.asked(), new Ended(key));
    flows.put(key, flow);
    flow.open();
    begun.inc();
    sweepLater();
    return flow;
  }

  /** What a flow says at its end. */
  final class Ended {
    private final FlowKey key;
    private boolean told;

    Ended(FlowKey key) {
      this.key = key;
    }

    void tell(UdpFlow flow, boolean unreachable) {
      if (told) {
        return;
      }
      told = true;
      flows.remove(key, flow);
      traffic.flows.decrementAndGet();
      if (unreachable) {
        rotation.failed(flow.task(), System.nanoTime());
      }
    }
  }

  /** The timer runs only while there are flows. */
  private void sweepLater() {
    if (sweep == null) {
      sweep = loop.schedule(this::sweepNow, Math.max(1, traffic.config.flowIdle().toMillis() / 2), TimeUnit.MILLISECONDS);
    }
  }

  private void sweepNow() {
    sweep = null;
    long oldest = System.nanoTime() - traffic.config.flowIdle().toNanos();
    for (UdpFlow flow : new ArrayList<>(flows.values())) {
      if (flow.used - oldest > 0) {
        break; // the rest was used later
      }
      flow.close();
    }
    if (!flows.isEmpty()) {
      sweepLater();
    }
  }
}
