package dev.skep.allocator.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.state.ChangeSet;
import dev.skep.state.Delta;
import dev.skep.state.IdSource;
import dev.skep.state.Rows;
import dev.skep.state.Tick;
import dev.skep.state.v1.NameRow;
import dev.skep.testkit.gen.Clusters;
import dev.skep.testkit.gen.Specs;
import dev.skep.testkit.gen.StateBuilder;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Virtual IPs and published ports of services. */
final class EndpointsTest {
  private static Scene twoNetworks() {
    return Scene.on("n1").network("a", "10.1.0.0/24").network("b", "10.2.0.0/24");
  }

  @Test
  void oneVirtualIpInEachNetwork() {
    assertThat(twoNetworks().service("web", "a", "b").virtualIps("web")).containsExactly("10.1.0.2/24", "10.2.0.2/24");
  }

  @Test
  void noneForDnsrr() {
    Scene scene = twoNetworks().service("web", Scene.mode("dnsrr"), "a", "b").task("web.1");
    assertThat(scene.virtualIps("web")).isEmpty();
    assertThat(scene.address("web.1")).as("tasks have theirs all the same").isEqualTo("10.1.0.2/24 10.2.0.2/24");
  }

  @Test
  void vipIsTheDefault() {
    assertThat(twoNetworks().service("web", Scene.mode("vip"), "a").virtualIps("web")).containsExactly("10.1.0.2/24");
  }

  @Test
  void itKeepsWhatItHasWhileItAsksForIt() {
    Scene scene = twoNetworks().service("web", "a").service("other", "a").service("web", "b", "a");
    assertThat(scene.virtualIps("web")).containsExactly("10.2.0.2/24", "10.1.0.2/24");
    assertThat(scene.service("web", "b").virtualIps("web")).containsExactly("10.2.0.2/24");
    assertThat(scene.service("web", "a").virtualIps("web")).as("given back and asked for anew").containsExactly("10.1.0.4/24");
  }

  @Test
  void itIsComputedForTheTemplateInForce() {
    assertThat(twoNetworks().service("web", "a").service("web", "b").endpoint("web").getTemplate()).isEqualTo(2);
  }

  @Test
  void itGoesWithTheService() {
    Scene scene = twoNetworks().service("web", "a").removed("web");
    assertThat(scene.has("web")).isFalse();
    assertThat(scene.service("other", "a").virtualIps("other")).hasSize(1);
  }

  @Test
  void withoutAnAddressForTheServiceItsTasksSayWhy() {
    Scene scene = Scene.on("n1").network("tiny", "10.1.0.0/30").service("one", "tiny").service("two", "tiny").task("two.1");
    assertThat(scene.virtualIps("one")).containsExactly("10.1.0.2/30");
    assertThat(scene.error("two")).isEqualTo("no address left in network tiny (10.1.0.0/30): 2 in use");
    assertThat(scene.address("two.1")).isEqualTo(scene.error("two"));
    assertThat(scene.removed("one").virtualIps("two")).as("tried again when one is freed").containsExactly("10.1.0.2/30");
  }

  // ---- published ports ----

  @Test
  void aNumberAskedForIsTaken() {
    Scene scene = Scene.on("n1").ingress().service("web", Scene.publishing("80:8080"));
    assertThat(scene.ports("web")).containsExactly(8080);
    assertThat(scene.virtualIps("web")).as("in ingress").hasSize(1).first().asString().startsWith("10.0.0.").endsWith("/16");
  }

  @Test
  void onesLeftOpenBeginAtThirtyThousand() {
    Scene scene = Scene.on("n1").ingress().service("web", Scene.publishing("80:0", "443:0")).service("other", Scene.publishing("80:0"));
    assertThat(scene.ports("web")).containsExactly(30000, 30001);
    assertThat(scene.ports("other")).containsExactly(30002);
  }

  @Test
  void theyStayOverUpdates() {
    Scene scene = Scene.on("n1").ingress().service("web", Scene.publishing("80:0")).service("other", Scene.publishing("80:0"));
    assertThat(scene.service("other", Scene.publishing("81:8081", "80:0")).ports("other")).containsExactly(8081, 30001);
    scene.removed("web").service("other", Scene.publishing("80:0"));
    assertThat(scene.ports("other")).as("though a lower one is free").containsExactly(30001);
  }

  @Test
  void anotherTargetIsAnotherPort() {
    Scene scene = Scene.on("n1").ingress().service("web", Scene.publishing("80:0")).service("other", Scene.publishing("80:0"));
    assertThat(scene.service("web", Scene.publishing("81:0")).ports("web")).doesNotContain(30001).hasSize(1);
  }

  @Test
  void numbersThatOthersAskedForAreNotGiven() {
    Scene scene = Scene.on("n1").ingress().named("tcp", 30000, "other"); // which has no endpoint yet
    assertThat(scene.service("web", Scene.publishing("80:0")).ports("web")).containsExactly(30001);
    var row = scene.bench().state().row(Rows.ENDPOINT.key("web"));
    assertThat(row.createRevision()).as("not even for a moment").isEqualTo(row.modRevision());
  }

  @Test
  void udpAndTcpHaveNumbersOfTheirOwn() {
    EndpointSpec.Builder both = Scene.publishing("53:0").toBuilder();
    both.addPorts(both.getPorts(0).toBuilder().setProtocol("udp"));
    assertThat(Scene.on("n1").ingress().service("dns", both.build()).ports("dns")).containsExactly(30000, 30000);
  }

  /** control-api may have said yes to a number before it saw that it was given here. */
  @Test
  void whoAskedForAGivenNumberHasItAndTheOtherMoves() {
    Scene scene = Scene.on("n1").ingress().service("web", Scene.publishing("80:0"));
    scene.named("tcp", 30000, "fixed").service("fixed", Scene.publishing("80:30000"));
    assertThat(scene.ports("fixed")).containsExactly(30000);
    assertThat(scene.ports("web")).containsExactly(30001);
  }

  /** The other way round: the number is asked for between this decision and its landing. */
  @Test
  void aNumberThatIsAskedForInTheSameMomentIsNotGiven() {
    StateBuilder cluster = Scene.on("n1").ingress().bench().cluster();
    Specs.service(cluster, "web", Specs.replicated(1), Specs.task("image"), Scene.publishing("80:0"));
    Tick tick = new Tick(Clusters.START, new IdSource(new Random(1)));
    List<ChangeSet> sets = new AllocatorDecider().decide(cluster.state(), Delta.EVERYTHING, tick).changes();
    cluster.put(Rows.NAME.key("port", "tcp", "30000"), NameRow.newBuilder().setId("fixed").build());
    assertThat(sets).filteredOn(set -> set.about().equals("web")).singleElement().matches(set -> !cluster.apply(set));
  }

  @Test
  void theRangeEndsAt32767() {
    String[] all = IntStream.rangeClosed(30_000, 32_767).mapToObj(i -> i - 29_999 + ":0").toArray(String[]::new);
    Scene scene = Scene.on("n1").ingress().service("greedy", Scene.publishing(all)).service("web", Scene.publishing("80:0"));
    assertThat(scene.task("web.1").ports("greedy")).startsWith(30_000).endsWith(32_767).doesNotHaveDuplicates();
    assertThat(scene.error("web")).isEqualTo("no port left between 30000 and 32767");
    assertThat(scene.address("web.1")).isEqualTo("no port left between 30000 and 32767");
    assertThat(scene.removed("greedy").ports("web")).as("tried again when some are freed").containsExactly(30000);
    assertThat(scene.address("web.1")).endsWith("/16");
  }

  @Test
  void portsOfTheHostAreNoneOfOurs() {
    EndpointSpec.Builder host = Scene.publishing("80:0").toBuilder();
    host.getPortsBuilder(0).setPublishMode("host");
    Scene scene = Scene.on("n1").ingress().service("web", host.build()).task("web.1");
    assertThat(scene.ports("web")).containsExactly(0);
    assertThat(scene.virtualIps("web")).isEmpty();
    assertThat(scene.address("web.1")).isEmpty();
  }

  @Test
  void withoutIngressNothingIsPublished() {
    Scene scene = Scene.on("n1").service("web", Scene.publishing("80:8080")).task("web.1");
    assertThat(scene.error("web")).isEqualTo("service needs ingress network, but no ingress network is present");
    assertThat(scene.address("web.1")).isEqualTo(scene.error("web"));
    assertThat(scene.ingress().error("web")).isEmpty();
    assertThat(scene.address("web.1")).startsWith("10.0.0.").endsWith("/16");
  }
}
