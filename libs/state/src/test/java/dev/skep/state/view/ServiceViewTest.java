package dev.skep.state.view;

import static dev.skep.state.view.Cluster.NODE;
import static dev.skep.state.view.Cluster.SERVICE;
import static dev.skep.state.view.Cluster.TASK;
import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.GlobalService;
import dev.skep.api.v1.RestartPolicy;
import dev.skep.api.v1.Service;
import dev.skep.api.v1.ServiceMode;
import dev.skep.api.v1.ServiceStatus;
import dev.skep.api.v1.TaskSpec;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.TaskState;
import org.junit.jupiter.api.Test;

/** What services, nodes, networks and the cluster say in the cases that are more than a copy of rows. */
class ServiceViewTest {
  @Test
  void aNewUpdateHidesTheStatusOfTheLast() {
    Fixture fixture = Cluster.complete();
    assertThat(service(fixture).getUpdateStatus().getState()).isEqualTo("completed");
    fixture.change(Rows.SERVICE.key(SERVICE), row -> row.toBuilder().setGeneration(3).build());
    assertThat(service(fixture).hasUpdateStatus()).isFalse();
  }

  @Test
  void afterAnAutomaticRollbackTheOldTemplateIsTheSpecAndThereIsNoPreviousOne() {
    Fixture fixture = Cluster.complete();
    assertThat(image(service(fixture))).isEqualTo("busybox:2");
    assertThat(service(fixture).getPreviousSpec().getTaskTemplate().getContainerSpec().getImage()).isEqualTo("busybox:1");
    fixture.change(Rows.ROLLOUT.key(SERVICE), row -> row.toBuilder().setFallbackTemplate(1).setState("rollback_completed").build());
    assertThat(image(service(fixture))).isEqualTo("busybox:1");
    assertThat(service(fixture).hasPreviousSpec()).isFalse();
  }

  @Test
  void dynamicPortsAreShownInTheEndpointOnly() {
    Service service = service(Cluster.complete());
    assertThat(service.getSpec().getEndpointSpec().getPorts(0).getPublishedPort()).isZero();
    assertThat(service.getEndpoint().getSpec().getPorts(0).getPublishedPort()).isZero();
    assertThat(service.getEndpoint().getPorts(0).getPublishedPort()).isEqualTo(30000);
    Fixture fixture = Cluster.complete().delete(Rows.ENDPOINT.key(SERVICE));
    assertThat(service(fixture).getEndpoint().getSpec()).isEqualTo(EndpointSpec.getDefaultInstance());
  }

  @Test
  void statusCountsWhatRunsOnLivingNodes() {
    Fixture fixture = Cluster.complete();
    assertThat(status(fixture)).isEqualTo(ServiceStatus.newBuilder().setRunningTasks(1).setDesiredTasks(1).build());
    fixture.change(Rows.NODE_STATUS.key(NODE), row -> row.toBuilder().setState("down").build());
    assertThat(status(fixture)).isEqualTo(ServiceStatus.newBuilder().setDesiredTasks(1).build());
    Fixture global = Cluster.complete();
    global.change(
        Rows.SERVICE.key(SERVICE),
        row -> row.toBuilder()
            .setCurrent(row.getCurrent().toBuilder().setMode(ServiceMode.newBuilder().setGlobal(GlobalService.getDefaultInstance())))
            .build());
    assertThat(status(global).getDesiredTasks()).isEqualTo(1);
    global.change(Rows.INTENT.key(TASK), row -> row.toBuilder().setDesired(TaskState.TASK_SHUTDOWN).build());
    assertThat(status(global).getDesiredTasks()).isZero();
    assertThat(ServiceView.status(global.state(), "gone")).isEmpty();
  }

  @Test
  void defaultsAreFilledInOnlyWhenAskedForAndNeverInThePreviousSpec() {
    Fixture fixture = Cluster.complete();
    Service plain = service(fixture);
    assertThat(plain.getSpec().hasUpdateConfig()).isFalse();
    Service full = ServiceView.withDefaults(fixture.state(), SERVICE).orElseThrow();
    TaskSpec task = full.getSpec().getTaskTemplate();
    assertThat(task.getContainerSpec().getStopGracePeriod()).isEqualTo(10_000_000_000L);
    assertThat(task.getContainerSpec().hasDnsConfig()).isTrue();
    assertThat(task.hasResources()).isTrue();
    assertThat(task.hasPlacement()).isTrue();
    assertThat(task.getRestartPolicy())
        .isEqualTo(RestartPolicy.newBuilder().setCondition("any").setDelay(5_000_000_000L).setMaxAttempts(0).build());
    assertThat(full.getSpec().getUpdateConfig()).isEqualTo(ServiceView.DEFAULT_UPDATE).isEqualTo(full.getSpec().getRollbackConfig());
    assertThat(full.getPreviousSpec()).isEqualTo(plain.getPreviousSpec());
  }

  @Test
  void theOnlyManagerLeadsWhenAnybodyDoes() {
    Fixture fixture = Cluster.complete();
    assertThat(NodeView.of(fixture.state(), NODE).orElseThrow().getManagerStatus().getLeader()).isTrue();
    assertThat(NodeView.of(fixture.state(), NODE).orElseThrow().getManagerStatus().getAddr()).isEqualTo("192.0.2.1:2377");
    fixture.put(Rows.NODE_SPEC.key("node2"), NodeSpecRow.newBuilder().setId("node2").build());
    assertThat(NodeView.of(fixture.state(), "node2").orElseThrow().hasManagerStatus()).isFalse();
    assertThat(NodeView.of(fixture.state(), "node2").orElseThrow().getStatus().getState()).isEqualTo("unknown");
    assertThat(SwarmView.info(fixture.state(), NODE).getNodes()).isEqualTo(2);
    assertThat(NodeView.all(fixture.state())).hasSize(2);
  }

  @Test
  void beforeInitThereIsNoSwarm() {
    Fixture fixture = new Fixture();
    assertThat(SwarmView.of(fixture.state())).isEmpty();
    assertThat(SwarmView.info(fixture.state(), "").getLocalNodeState()).isEqualTo("inactive");
    assertThat(SwarmView.withTokens(Cluster.complete().state(), "w", "m").orElseThrow().getJoinTokens().getManager()).isEqualTo("m");
  }

  @Test
  void aSigningKeyIsNeverShown() {
    Fixture fixture = Cluster.complete();
    fixture.change(
        Rows.cluster(),
        row -> {
          var builder = row.toBuilder();
          builder.getSpecBuilder().getCaConfigBuilder().setSigningCaKey("secret");
          return builder.build();
        });
    assertThat(SwarmView.of(fixture.state()).orElseThrow().toString()).doesNotContain("secret");
  }

  private static String image(Service service) {
    return service.getSpec().getTaskTemplate().getContainerSpec().getImage();
  }

  private static Service service(Fixture fixture) {
    return ServiceView.of(fixture.state(), SERVICE).orElseThrow();
  }

  private static ServiceStatus status(Fixture fixture) {
    ServiceStatus status = ServiceView.status(fixture.state(), SERVICE).orElseThrow();
    assertThat(ServiceView.allWithStatus(fixture.state()).getFirst().getServiceStatus()).isEqualTo(status);
    return status;
  }
}
