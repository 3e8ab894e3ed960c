package dev.skep.controlapi.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.DNSConfig;
import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.NetworkAttachmentConfig;
import dev.skep.api.v1.Placement;
import dev.skep.api.v1.PortConfig;
import dev.skep.api.v1.ResourceLimit;
import dev.skep.api.v1.ResourceRequirements;
import dev.skep.api.v1.RestartPolicy;
import dev.skep.api.v1.ServiceSpec;
import dev.skep.api.v1.TaskSpec;
import dev.skep.controlapi.codec.Decoded;
import dev.skep.controlapi.codec.DockerJson;
import dev.skep.controlapi.codec.RecordedSpecs;
import dev.skep.controlapi.codec.RecordedSpecs.RecordedSpec;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A request becomes what the real engine made of it; posted again in either form it is the same. */
class NormalisedTest {
  static Stream<RecordedSpec> recorded() {
    return RecordedSpecs.all();
  }

  @ParameterizedTest
  @MethodSource("recorded")
  void isStoredAsTheEngineStoredIt(RecordedSpec recorded) {
    Rowset rows = networks(recorded);
    ServiceSpec stored = normalised(rows, read(recorded.sent()));
    ServiceSpec engines = read(recorded.stored());
    ServiceSpec shown = stored.toBuilder().setTaskTemplate(stored.getTaskTemplate().toBuilder().setRuntime("container")).build();
    assertThat(new String(DockerJson.write(shown), StandardCharsets.UTF_8))
        .isEqualTo(new String(DockerJson.write(engines), StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @MethodSource("recorded")
  void postedAgainItIsTheSame(RecordedSpec recorded) {
    Rowset rows = networks(recorded);
    ServiceSpec stored = normalised(rows, read(recorded.sent()));
    assertThat(normalised(rows, stored)).isEqualTo(stored);
    // docker service scale and update send back what they read
    assertThat(normalised(rows, read(recorded.stored()))).isEqualTo(stored);
    assertThat(Normalised.sameTasks(stored, normalised(rows, read(recorded.sent())))).isTrue();
  }

  @Test
  void absentAndEmptyMakeTheSameTasks() {
    ServiceSpec plain = spec("");
    ServiceSpec.Builder wordy = plain.toBuilder().setEndpointSpec(EndpointSpec.newBuilder().setMode("vip"));
    TaskSpec.Builder task = wordy.getTaskTemplateBuilder();
    task.setPlacement(Placement.getDefaultInstance())
        .setResources(ResourceRequirements.newBuilder().setLimits(ResourceLimit.getDefaultInstance()));
    task.getContainerSpecBuilder().setDnsConfig(DNSConfig.getDefaultInstance()).setIsolation("default");
    task.setRuntime("container");
    assertThat(Normalised.sameTasks(plain, wordy.build())).isTrue();
    task.getContainerSpecBuilder().addEnv("A=1");
    assertThat(Normalised.sameTasks(plain, wordy.build())).isFalse();
    assertThat(Normalised.sameTasks(plain, plain.toBuilder().setEndpointSpec(EndpointSpec.newBuilder().setMode("dnsrr")).build()))
        .isFalse();
    ServiceSpec forced = plain.toBuilder().setTaskTemplate(plain.getTaskTemplate().toBuilder().setForceUpdate(1)).build();
    assertThat(Normalised.sameTasks(plain, forced)).isFalse();
  }

  @Test
  void wordsComeInAnyCase() {
    ServiceSpec sent =
        spec("").toBuilder()
            .setEndpointSpec(
                EndpointSpec.newBuilder().setMode("VIP").addPorts(PortConfig.newBuilder().setProtocol("UDP").setTargetPort(80)))
            .build();
    sent = sent.toBuilder()
        .setTaskTemplate(sent.getTaskTemplate().toBuilder().setRestartPolicy(RestartPolicy.newBuilder().setCondition("ON_FAILURE")))
        .build();
    ServiceSpec stored = normalised(new Rowset(), sent);
    assertThat(stored.getEndpointSpec().getMode()).isEqualTo("vip");
    assertThat(stored.getEndpointSpec().getPorts(0).getProtocol()).isEqualTo("udp");
    assertThat(stored.getEndpointSpec().getPorts(0).getPublishMode()).isEqualTo("ingress");
    assertThat(stored.getTaskTemplate().getRestartPolicy().getCondition()).isEqualTo("on-failure");
    assertThat(stored.getMode().getReplicated().getReplicas()).isEqualTo(1);
  }

  @Test
  void networksAreFoundByNameIdAndInTheirOlderPlace() {
    Rowset rows = new Rowset().network("abc123", "front", false);
    ServiceSpec sent = spec("").toBuilder().addNetworks(NetworkAttachmentConfig.newBuilder().setTarget("front").addAliases("x")).build();
    ServiceSpec stored = normalised(rows, sent);
    assertThat(stored.getNetworksCount()).isZero();
    assertThat(stored.getTaskTemplate().getNetworks(0).getTarget()).isEqualTo("abc123");
    assertThat(stored.getTaskTemplate().getNetworks(0).getAliasesList()).containsExactly("x");
  }

  private static ServiceSpec spec(String more) {
    return read("{\"Name\":\"a\",\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"busybox\"}}" + more + "}");
  }

  private static Rowset networks(RecordedSpec recorded) {
    Rowset rows = new Rowset();
    recorded.networks().forEach((id, name) -> rows.network(id, name, false));
    return rows;
  }

  private static ServiceSpec normalised(Rowset rows, ServiceSpec sent) {
    return switch (Normalised.of(rows.state(), sent)) {
      case Answer.Ok<ServiceSpec> ok -> ok.value();
      case Answer.Refused<ServiceSpec> refused -> throw new AssertionError(refused.error().message());
    };
  }

  static ServiceSpec read(String json) {
    return switch (DockerJson.read(json.getBytes(StandardCharsets.UTF_8), ServiceSpec.getDefaultInstance(), "ServiceSpec")) {
      case Decoded.Ok<ServiceSpec> ok -> ok.value();
      case Decoded.Refused<ServiceSpec> refused -> throw new AssertionError(refused.message());
    };
  }
}
