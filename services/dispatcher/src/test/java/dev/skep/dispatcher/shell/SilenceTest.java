package dev.skep.dispatcher.shell;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.DispatcherConfig.Builder;
import dev.skep.api.v1.SwarmSpec;
import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.runtime.Membership;
import dev.skep.runtime.grpc.Callers;
import dev.skep.runtime.identity.Caller;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.testkit.TestHost;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Silence as the store sees it, for a node that is no part of this process. The judge itself is tested in virtual time. */
class SilenceTest {
  private TestHost host;
  private Door door;
  private Server server;
  private ManagedChannel channel;

  @BeforeEach
  void start() throws Exception {
    host = TestHost.start();
    new Cluster(host).init("n1", "n2");
    // 0.6 of 1 s: suspect after 150 ms, down after 600 ms
    Builder period = dev.skep.api.v1.DispatcherConfig.newBuilder().setHeartbeatPeriod(Duration.ofSeconds(1).toNanos());
    host.put(Rows.cluster(), ClusterRow.newBuilder().setEpoch("epoch").setSpec(SwarmSpec.newBuilder().setDispatcher(period)).build());
    host.membership().become(new Membership.Identity("c", "n2", true, "192.0.2.2", "192.0.2.2"));
    door = Door.open(host, DispatcherConfig.defaults());
    String name = "network-" + UUID.randomUUID();
    // Stands for a server on the network: its callers are what their certificates say.
    server =
        InProcessServerBuilder.forName(name)
            .addService(
                ServerInterceptors.intercept(
                    door.nodeCalls(), Callers.network(_ -> new Caller.Node("n1", NodeRole.WORKER))))
            .build()
            .start();
    channel = InProcessChannelBuilder.forName(name).build();
  }

  @AfterEach
  void stop() throws Exception {
    channel.shutdownNow();
    server.shutdownNow();
    door.close();
    host.close();
  }

  private static String life(ClusterState state, String node) {
    return state.has(Rows.NODE_STATUS.key(node)) ? state.value(Rows.NODE_STATUS.key(node)).getState() : "";
  }

  @Test
  void aSilentNodeLeavesTrafficThenIsDownThenComesBack() throws Exception {
    // The header of a caller from the network does not count: it is the node of its certificate.
    try (FakeAgent agent = new FakeAgent(channel, "n2"); FakeAgent neighbour = new FakeAgent(host.channel("dispatcher"), "n2")) {
      assertThat(neighbour.register().isOk()).isTrue();
      assertThat(agent.register().isOk()).isTrue();
      host.await("n1 is ready", state -> life(state, "n1").equals("ready"));
      host.await("n1 is suspect", state -> life(state, "n1").equals("disconnected"));
      ClusterState down = host.await("n1 is down", state -> life(state, "n1").equals("down"));
      assertThat(down.value(Rows.NODE_STATUS.key("n1")).getMessage()).startsWith("heartbeat failure");
      assertThat(agent.beat().isOk()).isTrue(); // its session is still good
      host.await("n1 is back", state -> life(state, "n1").equals("ready"));
      // The agent of this process never beat, and nobody holds that against it.
      assertThat(life(host.view().state(), "n2")).isEqualTo("ready");
    }
  }
}
