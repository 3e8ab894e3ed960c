package dev.skep.ingress.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.PortConfig;
import dev.skep.feed.v1.EndpointAddress;
import dev.skep.feed.v1.EndpointEntry;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.feed.v1.NetworkEntry;
import dev.skep.feed.v1.ServiceEntry;
import dev.skep.ingress.FeedOf;
import dev.skep.state.FeedState;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RoutesTest {
  @Test
  void servingTasksInTheOrderOfTheirSlots() {
    FeedState feed =
        new FeedOf()
            .service("web", "tcp", 80, 8080)
            .service("log", "", 514, 5140, "v2")
            .task("web", 10, "10.0.0.10")
            .task("web", 2, "10.0.0.2")
            .task("web", 3, "10.0.0.3", false)
            .state();
    Routes routes = Routes.of(feed);
    assertThat(routes.at(new PublishedPort("tcp", 80)).orElseThrow().backends())
        .containsExactly(new Backend("web.2", "10.0.0.2", 8080), new Backend("web.10", "10.0.0.10", 8080));
    assertThat(routes.at(new PublishedPort("tcp", 514)).orElseThrow())
        .isEqualTo(new Route(new PublishedPort("tcp", 514), "log", "log", ProxyHeader.V2, java.util.List.of()));
  }

  @Test
  void portsPublishedOnTheHostAreNotOurs() {
    FeedUpdate.Builder update = new FeedOf().update().toBuilder();
    update.addPut(
        FeedEntry.newBuilder()
            .setKey("service/s")
            .setService(
                ServiceEntry.newBuilder()
                    .setId("s")
                    .addPorts(PortConfig.newBuilder().setProtocol("tcp").setPublishedPort(80).setPublishMode("host"))
                    .addPorts(PortConfig.newBuilder().setProtocol("tcp").setTargetPort(80).setPublishMode("ingress"))));
    FeedState feed = ((FeedState.Outcome.Moved) FeedState.empty().apply(update.build())).state();
    assertThat(Routes.of(feed).all()).isEmpty();
  }

  @Test
  void stepByStepIsTheSameAsFromScratch() {
    for (long seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      FeedState feed = FeedState.empty();
      Routes routes = Routes.of(feed);
      for (int revision = 1; revision < 40; revision++) {
        FeedUpdate.Builder update = FeedUpdate.newBuilder().setEpoch("e").setRevision(revision).setComplete(revision == 1);
        for (int n = random.nextInt(4); n > 0; n--) {
          change(random, update);
        }
        FeedState.Outcome.Moved moved = (FeedState.Outcome.Moved) feed.apply(update.build());
        feed = moved.state();
        Routes before = routes;
        routes = routes.next(feed, moved.changed());
        assertThat(routes).as("seed %s revision %s", seed, revision).isEqualTo(Routes.of(feed));
        Routes.Diff diff = routes.since(before);
        diff.put().forEach(route -> assertThat(before.at(route.published())).isNotEqualTo(java.util.Optional.of(route)));
        assertThat(before.all().size() - diff.closed().size() + diff.put().stream().filter(r -> before.at(r.published()).isEmpty()).count())
            .as("seed %s", seed)
            .isEqualTo(routes.all().size());
      }
    }
  }

  private static void change(Random random, FeedUpdate.Builder update) {
    String service = "s" + random.nextInt(4);
    switch (random.nextInt(6)) {
      case 0 -> update.addPut(
          FeedEntry.newBuilder()
              .setKey("network/n" + random.nextInt(2))
              .setNetwork(NetworkEntry.newBuilder().setId("n" + random.nextInt(2)).setIngress(random.nextInt(3) > 0)));
      case 1 -> update.addPut(
          FeedEntry.newBuilder()
              .setKey("service/" + service)
              .setService(
                  ServiceEntry.newBuilder()
                      .setId(service)
                      .addPorts(PortConfig.newBuilder().setProtocol("tcp").setPublishedPort(80 + random.nextInt(3)).setTargetPort(random.nextInt(2)))));
      case 2 -> update.addRemove("service/" + service);
      case 3 -> update.addRemove("endpoint/t" + random.nextInt(6));
      default -> update.addPut(
          FeedEntry.newBuilder()
              .setKey("endpoint/t" + random.nextInt(6))
              .setEndpoint(
                  EndpointEntry.newBuilder()
                      .setTaskId("t" + random.nextInt(6))
                      .setServiceId(service)
                      .setSlot(random.nextInt(3))
                      .setServing(random.nextInt(3) > 0)
                      .addAddresses(EndpointAddress.newBuilder().setNetworkId("n" + random.nextInt(2)).setAddress("10.0.0." + random.nextInt(9)))));
    }
  }

  @Test
  void proxyHeaders() {
    InetSocketAddress client = new InetSocketAddress("192.0.2.7", 40_000);
    InetSocketAddress asked = new InetSocketAddress("198.51.100.1", 443);
    assertThat(new String(ProxyHeader.V1.bytes(client, asked), StandardCharsets.US_ASCII))
        .isEqualTo("PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n");
    assertThat(HexFormat.of().formatHex(ProxyHeader.V2.bytes(client, asked)))
        .isEqualTo("0d0a0d0a000d0a515549540a" + "2111000c" + "c0000207" + "c6336401" + "9c40" + "01bb");
    InetSocketAddress six = new InetSocketAddress("2001:db8::1", 1);
    assertThat(new String(ProxyHeader.V1.bytes(six, six), StandardCharsets.US_ASCII))
        .isEqualTo("PROXY TCP6 2001:db8:0:0:0:0:0:1 2001:db8:0:0:0:0:0:1 1 1\r\n");
    assertThat(ProxyHeader.V2.bytes(six, six)).hasSize(52);
    assertThat(ProxyHeader.NONE.bytes(client, asked)).isEmpty();
  }
}
