package dev.skep.skepd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.dispatcher.DispatcherComponent;
import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.runtime.host.BasicHost;
import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.state.NodeRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What stands between a host and its part among the managers: the way to the keys, and the store itself. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class BecomingManagerTest {
  private static final String NO_WAY = "the store etcd://etcd1 cannot be used from this host: no answer";

  @TempDir Path folder;
  private Nodes nodes;
  private Nodes.Node first;

  @BeforeEach
  void found() throws Exception {
    nodes = new Nodes(folder);
    first = nodes.firstManager();
  }

  @AfterEach
  void close() {
    nodes.close();
  }

  /** As containers of that host have it: one folder with all that its processes share. */
  private Path identityOf(Nodes.Node node) throws IOException {
    Path own = node.host.dataFolder("identity");
    Path shared = Files.createDirectories(folder.resolve("identity"));
    try (Stream<Path> files = Stream.concat(Files.list(own), Stream.of(own.resolveSibling("membership.properties")))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, shared.resolve(file.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
    return shared;
  }

  @Test
  @Tag("slow")
  void aDispatcherInAProcessOfItsOwnHandsOnTheKeys() throws Exception {
    String door = Nodes.listen();
    Path identity = identityOf(first);
    HostBuilder alone = HostBuilder.named("dispatcher").data(folder.resolve("alone")).run(folder.resolve("alone-run"))
        .identity(identity).listen(door).peer(door).shared(nodes.client())
        .peers(Map.of("control-api", List.of(Nodes.door(first)))).component(new DispatcherComponent(DispatcherConfig.alone()));
    try (BasicHost dispatcher = alone.startProcess("shared:")) {
      assertThat(dispatcher.membership().current()).isPresent();
      Nodes.Node second = nodes.host();
      assertThat(Nodes.joinListening(second, Nodes.listen(), Nodes.token(first, NodeRole.MANAGER), door)).isEqualTo("200 ");
      second.awaitStarts(2);
      assertThat(ClusterKey.read(second.host.dataFolder("identity")).bytes()).isEqualTo(ClusterKey.read(first.host.dataFolder("identity")).bytes());
    }
  }

  @Test
  void aHostThatTheStoreDoesNotLetInStaysAWorkerAndSaysWhy() throws Exception {
    Nodes.Node worker = nodes.host();
    assertThat(Nodes.joinListening(worker, Nodes.listen(), Nodes.token(first, NodeRole.WORKER), Nodes.door(first))).isEqualTo("200 ");
    String id = worker.id();
    worker.storeProblem = NO_WAY;
    assertThat(ManagersTest.role(first, id, "manager")).isEqualTo("200 ");
    first.host.await("it says why it is no manager", state -> NodeRecord.find(state, id).status().getCannotManage().equals(NO_WAY));
    assertThat(worker.starts()).isEqualTo(1);
    assertThat(first.get("/nodes/" + id)).contains("\"Reachability\":\"unreachable\"").contains("\"State\":\"ready\"");
    assertThat(ManagersTest.role(first, first.id(), "worker")).startsWith("400").contains("could not become one");

    assertThat(ManagersTest.role(first, id, "worker")).isEqualTo("200 ");
    first.host.await("nothing is in its way", state -> NodeRecord.find(state, id).status().getCannotManage().isEmpty());
    worker.storeProblem = "";
    assertThat(ManagersTest.role(first, id, "manager")).isEqualTo("200 ");
    worker.awaitStarts(2);
    first.host.await("it is one", state -> !NodeRecord.find(state, id).status().getManagerAddr().isEmpty());
  }

  @Test
  void aHostThatTheStoreDoesNotLetInJoinsAsNoManager() throws Exception {
    Nodes.Node host = nodes.host();
    host.storeProblem = NO_WAY;
    assertThat(Nodes.joinListening(host, Nodes.listen(), Nodes.token(first, NodeRole.MANAGER), Nodes.door(first))).startsWith("503").contains(NO_WAY);
    assertThat(host.host.membership().current()).isEmpty();
    assertThat(ClusterKey.present(host.host.dataFolder("identity"))).isFalse();
  }
}
