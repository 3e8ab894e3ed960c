package dev.skep.controlapi.shell;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.controlapi.ControlApi;
import dev.skep.controlapi.ControlApiConfig;
import dev.skep.runtime.Membership;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.testkit.TestHost;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a host answers that is a worker: as a worker's dockerd does, by its recordings. */
class WorkerTest {
  private static final String WORKER =
      "{\"message\":\"This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this"
          + " command on a manager node or promote the current node to a manager.\"}";
  private static final String OVERLAY =
      """
      {"Name":"skep-net1","Id":"e1","Created":"2026-11-21T00:03:33.5+01:00","Scope":"local","Driver":"bridge","EnableIPv6":false,
       "IPAM":{"Driver":"default","Config":[{"Subnet":"10.0.1.0/24","IPRange":"10.0.1.3/32","Gateway":"10.0.1.3"}]},"Internal":false,
       "Containers":{"c1":{"Name":"web.1"}},
       "Labels":{"skep.cluster":"cluster1","skep.network":"net1","skep.vni":"4097","skep.network.name":"back","skep.network.ingress":"false"}}
      """;
  private static final String FOREIGN = OVERLAY.replace("cluster1", "cluster2").replace("net1", "net2");
  private static final String BRIDGE = "{\"Name\":\"bridge\",\"Id\":\"b1\",\"Scope\":\"local\",\"Driver\":\"bridge\",\"Labels\":{}}";

  @TempDir Path folder;
  private FakeEngine engine;
  private TestHost host;

  @BeforeEach
  void start() throws Exception {
    engine =
        FakeEngine.start(
            folder.resolve("engine.sock"),
            Map.of(
                "/info", "{\"Name\":\"worker1\",\"Swarm\":{\"LocalNodeState\":\"inactive\"}}",
                "/networks", "[" + BRIDGE + "," + OVERLAY + "," + FOREIGN + "]",
                "/networks/skep-net1", OVERLAY,
                "/networks/bridge", BRIDGE,
                "/containers/json", "[{\"Id\":\"c1\"}]"));
    host =
        TestHost.start(
            new ControlApi(
                ControlApiConfig.defaults()
                    .withApi(List.of("unix://" + folder.resolve("api.sock")))
                    .withEngine(folder.resolve("engine.sock"))
                    .withNodeWait(Duration.ofMillis(1))));
    host.membership().become(new Membership.Identity("cluster1", "worker1id", false, "10.203.0.2", "10.203.0.2")
        .withManagers(List.of("10.203.0.1:2377")));
  }

  @AfterEach
  void stop() throws Exception {
    host.close();
    engine.close();
  }

  private String call(String method, String path, String body) throws IOException {
    return new ApiClient(folder.resolve("api.sock")).call(method, path, body);
  }

  private String get(String path) throws IOException {
    return call("GET", path, "");
  }

  @Test
  void everySwarmRouteSaysThatThisIsAWorker() throws Exception {
    for (String path :
        List.of("/swarm", "/swarm/unlockkey", "/nodes", "/nodes/x", "/services", "/services/x", "/services/x/logs?stdout=1", "/tasks",
            "/tasks/x", "/tasks/x/logs?stdout=1", "/secrets", "/secrets/x", "/configs", "/configs/x")) {
      assertThat(get("/v1.41" + path)).as(path).startsWith("HTTP/1.1 503 ").endsWith(WORKER + "\n");
    }
    for (String path :
        List.of("/swarm/update?version=1", "/swarm/unlock", "/nodes/x/update?version=1", "/services/create", "/services/x/update?version=1",
            "/secrets/create", "/configs/create")) {
      assertThat(call("POST", path, "{}")).as(path).startsWith("HTTP/1.1 503 ").endsWith(WORKER + "\n");
    }
    for (String path : List.of("/nodes/x", "/services/x", "/secrets/x", "/configs/x")) {
      assertThat(call("DELETE", path, "")).as(path).startsWith("HTTP/1.1 503 ").endsWith(WORKER + "\n");
    }
    assertThat(call("POST", "/swarm/init", "{}"))
        .startsWith("HTTP/1.1 503 ")
        .contains("This node is already part of a swarm. Use \\\"docker swarm leave\\\" to leave this swarm and join another one.");
  }

  @Test
  void pingAndInfoSayWhatItIs() throws Exception {
    assertThat(call("HEAD", "/_ping", "")).contains("\r\nSwarm: active/worker\r\n");
    assertThat(get("/v1.41/info")).contains("\"LocalNodeState\":\"pending\"");
    host.session().opened();
    assertThat(get("/v1.41/info"))
        .contains("\"NodeID\":\"worker1id\",\"NodeAddr\":\"10.203.0.2\",\"LocalNodeState\":\"active\",\"ControlAvailable\":false,\"Error\":\"\"")
        .contains("\"Addr\":\"10.203.0.1:2377\"")
        .doesNotContain("\"Nodes\"").doesNotContain("\"Cluster\"");
    host.session().lost("no manager answers");
    assertThat(get("/v1.41/info")).contains("\"LocalNodeState\":\"active\"").contains("\"Error\":\"no manager answers\"");
  }

  @Test
  void itsOverlaysAreShownUnderTheirNamesAndCannotBeChanged() throws Exception {
    assertThat(get("/v1.41/networks"))
        .contains("\"Name\":\"back\",\"Id\":\"net1\",\"Created\":\"2026-11-20T23:03:33.5Z\",\"Scope\":\"swarm\",\"Driver\":\"overlay\"")
        .contains("\"Name\":\"bridge\"")
        .doesNotContain("skep-net1").doesNotContain("net2");
    for (String reference : List.of("back", "net1", "ne", "skep-net1")) {
      assertThat(get("/v1.41/networks/" + reference)).as(reference)
          .contains("\"Name\":\"back\"", "\"Subnet\":\"10.0.1.0/24\"", "\"Gateway\":\"10.0.1.3\"", "vxlanid_list\":\"4097\"", "\"web.1\"");
    }
    assertThat(get("/networks/bridge")).contains("\"Id\":\"b1\"");
    assertThat(get("/networks/nosuch")).startsWith("HTTP/1.1 404 ");
    assertThat(call("DELETE", "/networks/back", "")).startsWith("HTTP/1.1 503 ").endsWith(WORKER + "\n");
    assertThat(call("POST", "/networks/create", "{\"Name\":\"foo\",\"Driver\":\"overlay\"}"))
        .startsWith("HTTP/1.1 403 ")
        .contains("Cannot create a multi-host network from a worker node. Please create the network from a manager node.");
    assertThat(call("POST", "/networks/back/connect", "{\"Container\":\"c1\"}")).startsWith("HTTP/1.1 501 ");
  }

  @Test
  void whatAnOlderClusterLeftInTheStoreGoes() {
    host.membership().leave();
    host.put(Rows.NETWORK.key("old"), NetworkRow.getDefaultInstance());
    host.put(Rows.LEADER.key("orchestrator"), LeaderRow.getDefaultInstance());
    host.membership().become(new Membership.Identity("cluster1", "worker1id", false, "10.203.0.2", "10.203.0.2"));
    host.await("an empty store", state -> !state.has(Rows.NETWORK.key("old")) && !state.has(Rows.LEADER.key("orchestrator")));
  }

  @Test
  void containersPassThroughAndNothingIsWritten() throws Exception {
    assertThat(get("/v1.41/containers/json")).contains("\"Id\":\"c1\"");
    get("/v1.41/nodes");
    assertThat(host.store().read("").entries()).isEmpty();
    assertThat(host.failures()).isEmpty();
  }
}
