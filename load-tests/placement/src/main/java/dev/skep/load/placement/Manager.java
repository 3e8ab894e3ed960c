package dev.skep.load.placement;

import dev.skep.allocator.Allocator;
import dev.skep.api.v1.InitRequest;
import dev.skep.api.v1.NodeSpec;
import dev.skep.backend.Access;
import dev.skep.backend.Store;
import dev.skep.controlapi.ControlApi;
import dev.skep.controlapi.ControlApiConfig;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.shell.Founding;
import dev.skep.dispatcher.DispatcherComponent;
import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.orchestrator.Orchestrator;
import dev.skep.relay.Relay;
import dev.skep.relay.RelayConfig;
import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.host.ProcessHost;
import dev.skep.scheduler.Scheduler;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeSpecRow;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** All control services of a manager in this process, as skepd has them, and simulated nodes that have sessions with it. */
final class Manager implements AutoCloseable {
  final ProcessHost host;
  final Meter meter;
  final Api api;
  private final NoEngine engine;
  private final List<SimNode> nodes = new ArrayList<>();

  /** @param log empty: the store's own change table */
  Manager(Path folder, String store, Optional<String> log, Duration keep) throws Exception {
    Path socket = folder.resolve("docker.sock");
    engine = new NoEngine(folder.resolve("engine.sock"));
    HostBuilder builder = HostBuilder.named("bench").data(folder.resolve("data")).run(folder.resolve("run"))
        .door(_ -> new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .component(new Orchestrator())
        .component(new Allocator())
        .component(new Scheduler())
        .component(new DispatcherComponent(DispatcherConfig.defaults()))
        .component(new ControlApi(ControlApiConfig.defaults().withApi(List.of("unix://" + socket)).withEngine(folder.resolve("engine.sock"))
            .withGrpc(folder.resolve("control.sock"))));
    log.ifPresent(uri -> {
      RelayConfig relay = RelayConfig.defaults(uri);
      builder.log(uri).logAccess(Access.PLAIN)
          .component(new Relay(relay.withHistory(keep, relay.hold(), relay.compactEvery(), relay.snapshotEvery())));
    });
    host = builder.startProcess(store);
    InitRequest init = InitRequest.newBuilder().setAdvertiseAddr("127.0.0.1").setListenAddr("127.0.0.1:2377").build();
    if (Founding.init(host, init, false) instanceof Answer.Refused<String> refused) {
      throw new IllegalStateException(refused.error().message());
    }
    meter = new Meter(host.view());
    api = new Api(socket);
    api.createNetwork();
  }

  /** @param reports whether they run what they are given, or only take note */
  void nodes(int count, boolean reports) throws InterruptedException {
    for (int i = 0; i < count; i++) {
      String id = "benchnode%016d".formatted(i);
      NodeSpecRow row = NodeSpecRow.newBuilder().setId(id).setSpec(NodeSpec.newBuilder().setRole("worker").setAvailability("active")).build();
      host.store().commit(new Store.Transaction(List.of(), List.of(new Store.Operation.Put(Rows.NODE_SPEC.key(id).path(), row.toByteArray()))));
      SimNode node = new SimNode(host.channel("dispatcher"), id, reports);
      nodes.add(node);
      node.open();
    }
  }

  /** Creates a service of one task; milliseconds from the call to the row that says where it goes. */
  double one(String name) throws Exception {
    meter.watch(name);
    long began = System.nanoTime();
    api.create(name, 1);
    return (meter.placedAt(name) - began) / 1e6;
  }

  double metric(String name, String... labels) {
    Double value = host.metrics().registry().getSampleValue(name, labels.length == 0 ? new String[0] : new String[] {"loop"}, labels);
    return value == null ? 0 : value;
  }

  @Override
  public void close() throws IOException {
    nodes.forEach(SimNode::close);
    host.close();
    engine.close();
  }
}
