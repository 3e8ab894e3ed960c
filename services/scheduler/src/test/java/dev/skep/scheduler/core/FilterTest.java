package dev.skep.scheduler.core;

import static dev.skep.state.v1.TaskState.TASK_COMPLETE;
import static dev.skep.state.v1.TaskState.TASK_SHUTDOWN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.GenericResource;
import dev.skep.api.v1.Mount;
import dev.skep.api.v1.Platform;
import dev.skep.api.v1.PluginDescription;
import dev.skep.api.v1.PortConfig;
import dev.skep.api.v1.TaskSpec;
import dev.skep.state.v1.NodeStatusRow;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a node must be for a task, and swarm's words when none is. */
final class FilterTest {
  private static final long CPU = 1_000_000_000L;
  private static final long GIB = 1L << 30;

  /** Where a task that asks for this goes, when there is node n1 and nothing else. */
  private static String onOneNode(Consumer<NodeStatusRow.Builder> node, Consumer<TaskSpec.Builder> asks) {
    return Scene.on("n1").reporting("n1", node).service("web", asks).waiting("web.1").where("web.1");
  }

  @ParameterizedTest
  @CsvSource({"pause, ready", "drain, ready", "active, down", "active, unknown", "active, disconnected"})
  void onlyReadyAndActiveNodesTakeTasks(String availability, String state) {
    Scene scene = Scene.on("n1").node("n1", spec -> spec.setAvailability(availability)).nodeIs("n1", state).waiting("web.1");
    assertThat(scene.where("web.1")).isEqualTo("no suitable node (1 node not available for new tasks)");
    scene.node("n1", spec -> spec.setAvailability("active")).nodeIs("n1", "ready");
    assertThat(scene.where("web.1")).isEqualTo("n1");
  }

  // ---- resources ----

  @ParameterizedTest
  @CsvSource({"4.0, 8, n1", "4.001, 0, ''", "0, 8, n1", "0, 8.001, ''", "2, 9, ''"})
  void whatIsReservedMustBeFree(double cpus, double gib, String node) {
    String where =
        onOneNode(status -> { }, task -> task.getResourcesBuilder().getReservationsBuilder()
            .setNanoCpus(Math.round(cpus * CPU)).setMemoryBytes(Math.round(gib * GIB)));
    assertThat(where).isEqualTo(node.isEmpty() ? "no suitable node (insufficient resources on 1 node)" : node);
  }

  @Test
  void limitsReserveNothing() {
    assertThat(onOneNode(status -> { }, task -> task.getResourcesBuilder().getLimitsBuilder().setMemoryBytes(100 * GIB))).isEqualTo("n1");
  }

  private static Scene threeGib() {
    return Scene.on("n1").service("web", task -> task.getResourcesBuilder().getReservationsBuilder().setMemoryBytes(3 * GIB));
  }

  @Test
  void whatTasksReserveIsTakenOneAfterTheOther() {
    assertThat(threeGib().waiting("web.1", "web.2", "web.3").where("web.1", "web.2", "web.3"))
        .containsExactly("n1", "n1", "no suitable node (insufficient resources on 1 node)");
  }

  @Test
  void itIsFreeWhenTheNodeSaysThatTheTaskHasStoppedAndNotWhenItIsToldTo() {
    Scene scene = threeGib().running("n1", "web.1", "web.2").waiting("web.3").wants("web.1", TASK_SHUTDOWN);
    assertThat(scene.where("web.3")).isEqualTo("no suitable node (insufficient resources on 1 node)");
    assertThat(scene.reports("web.1", TASK_SHUTDOWN).where("web.3")).isEqualTo("n1");
  }

  private static GenericResource ssd(long count) {
    GenericResource.Builder resource = GenericResource.newBuilder();
    resource.getDiscreteResourceSpecBuilder().setKind("SSD").setValue(count);
    return resource.build();
  }

  @ParameterizedTest
  @CsvSource({"1, 1, n1", "1, 2, ''", "0, 1, ''"})
  void genericResourcesAreCounted(long has, long wants, String node) {
    String where =
        onOneNode(
            status -> status.getDescriptionBuilder().getResourcesBuilder().addGenericResources(ssd(has)),
            task -> task.getResourcesBuilder().getReservationsBuilder().addGenericResources(ssd(wants)));
    assertThat(where).isEqualTo(node.isEmpty() ? "no suitable node (insufficient resources on 1 node)" : node);
  }

  @Test
  void namedGenericResourcesCountOneByOne() {
    Scene scene = Scene.on("n1").reporting("n1", status -> {
      for (String name : new String[] {"a", "b"}) {
        var resource = status.getDescriptionBuilder().getResourcesBuilder().addGenericResourcesBuilder();
        resource.getNamedResourceSpecBuilder().setKind("SSD").setValue(name);
      }
    });
    scene.service("web", task -> task.getResourcesBuilder().getReservationsBuilder().addGenericResources(ssd(1)));
    assertThat(scene.waiting("web.1", "web.2", "web.3").where("web.1", "web.2", "web.3"))
        .containsExactly("n1", "n1", "no suitable node (insufficient resources on 1 node)");
  }

  // ---- plugins ----

  private static Consumer<NodeStatusRow.Builder> with(String... typesAndNames) {
    return status -> {
      for (String plugin : typesAndNames) {
        String[] parts = plugin.split("/");
        status.getDescriptionBuilder().getEngineBuilder().addPlugins(PluginDescription.newBuilder().setType(parts[0]).setName(parts[1]));
      }
    };
  }

  @ParameterizedTest
  @CsvSource({"gelf, n1", "none, n1", "splunk, ''"})
  void theLogDriverMustBeThere(String driver, String node) {
    String where = onOneNode(with("Log/json-file", "Log/gelf"), task -> task.getLogDriverBuilder().setName(driver));
    assertThat(where).isEqualTo(node.isEmpty() ? "no suitable node (missing plugin on 1 node)" : node);
  }

  @ParameterizedTest
  @CsvSource({"local, n1", "'', n1", "nfs, n1", "other, ''"})
  void andTheVolumeDriver(String driver, String node) {
    Mount.Builder mount = Mount.newBuilder().setType("volume");
    mount.getVolumeOptionsBuilder().getDriverConfigBuilder().setName(driver);
    String where = onOneNode(with("Log/json-file", "Volume/nfs:latest"), task -> task.getContainerSpecBuilder().addMounts(mount));
    assertThat(where).isEqualTo(node.isEmpty() ? "no suitable node (missing plugin on 1 node)" : node);
  }

  @Test
  void aNodeThatReportsNoPluginsIsNotHeldToThem() {
    assertThat(onOneNode(status -> { }, task -> task.getLogDriverBuilder().setName("splunk"))).isEqualTo("n1");
  }

  // ---- constraints ----

  @ParameterizedTest
  @CsvSource({
    "node.id==n1,                    true",
    "node.id!=n1,                    false",
    "node.hostname == host-n1,       true",
    "node.hostname == HOST-N1,       true",
    "node.role==worker,              true",
    "node.role==manager,             false",
    "node.platform.os==linux,        true",
    "node.platform.arch==x86_64,     true",
    "node.platform.arch==arm64,      false",
    "node.ip==192.0.2.7,             true",
    "node.ip==192.0.2.0/24,          true",
    "node.ip!=192.0.2.0/24,          false",
    "node.labels.zone==a,            true",
    "node.labels.zone!=a,            false",
    "node.labels.zone==b,            false",
    "node.labels.other!=b,           true", // a missing label is an empty one
    "engine.labels.disk==ssd,        true",
    "engine.labels.disk==hdd,        false",
    "node.nothing==x,                false"
  })
  void constraints(String constraint, boolean met) {
    Scene scene = Scene.on("n1").label("n1", "zone", "a").reporting("n1", status -> {
      status.setAddr("192.0.2.7");
      status.getDescriptionBuilder().getEngineBuilder().putLabels("disk", "ssd");
    });
    String where = scene.service("web", task -> task.getPlacementBuilder().addConstraints(constraint)).waiting("web.1").where("web.1");
    assertThat(where).isEqualTo(met ? "n1" : "no suitable node (scheduling constraints not satisfied on 1 node)");
  }

  @Test
  void allConstraintsMustBeMet() {
    Scene scene = Scene.on("n1", "n2", "n3").label("n1", "zone", "a").label("n2", "disk", "ssd");
    scene.label("n3", "zone", "a").label("n3", "disk", "ssd");
    scene.service("web", task -> task.getPlacementBuilder().addConstraints("node.labels.zone==a").addConstraints("node.labels.disk==ssd"));
    assertThat(scene.waiting("web.1", "web.2").where("web.1", "web.2")).containsExactly("n3", "n3");
  }

  // ---- platform ----

  @ParameterizedTest
  @CsvSource({
    "linux,   amd64,  true",
    "linux,   x86_64, true",
    "LINUX,   AMD64,  true",
    "linux,   '',     true",
    "'',      amd64,  true",
    "linux,   arm64,  false",
    "windows, amd64,  false"
  })
  void platforms(String os, String architecture, boolean fits) {
    Platform wanted = Platform.newBuilder().setOs(os).setArchitecture(architecture).build();
    assertThat(onOneNode(status -> { }, task -> task.getPlacementBuilder().addPlatforms(wanted)))
        .isEqualTo(fits ? "n1" : "no suitable node (unsupported platform on 1 node)");
  }

  @Test
  void oneOfSeveralPlatformsIsEnough() {
    String where =
        onOneNode(status -> status.getDescriptionBuilder().getPlatformBuilder().setArchitecture("aarch64"), task ->
            task.getPlacementBuilder().addPlatformsBuilder().setArchitecture("amd64").setOs("linux"));
    assertThat(where).isEqualTo("no suitable node (unsupported platform on 1 node)");
    String both =
        onOneNode(status -> status.getDescriptionBuilder().getPlatformBuilder().setArchitecture("aarch64"), task -> {
          task.getPlacementBuilder().addPlatformsBuilder().setArchitecture("amd64").setOs("linux");
          task.getPlacementBuilder().addPlatformsBuilder().setArchitecture("arm64").setOs("linux");
        });
    assertThat(both).isEqualTo("n1");
  }

  // ---- ports of the host ----

  private static EndpointSpec port(String mode, String protocol, int published) {
    return EndpointSpec.newBuilder()
        .addPorts(PortConfig.newBuilder().setPublishMode(mode).setProtocol(protocol).setTargetPort(80).setPublishedPort(published))
        .build();
  }

  @Test
  void aHostPortIsThereOnlyOnce() {
    Scene scene = Scene.on("n1").service("web", task -> { }, port("host", "tcp", 8080)).waiting("web.1", "web.2");
    assertThat(scene.where("web.1", "web.2")).containsExactly("n1", "no suitable node (host-mode port already in use on 1 node)");
    assertThat(scene.reports("web.1", TASK_COMPLETE).where("web.2")).as("free when the task has stopped").isEqualTo("n1");
  }

  @ParameterizedTest
  @CsvSource({
    "host,    tcp, 8080, false",
    "host,    '',  8080, false", // nothing asked means tcp
    "host,    udp, 8080, true",
    "host,    tcp, 8081, true",
    "host,    tcp, 0,    true",
    "ingress, tcp, 8080, true"
  })
  void ofAnotherServiceToo(String mode, String protocol, int published, boolean fits) {
    Scene scene = Scene.on("n1").service("old", task -> { }, port("host", "tcp", 8080)).running("n1", "old.1");
    scene.service("web", task -> { }, port(mode, protocol, published)).waiting("web.1");
    assertThat(scene.where("web.1")).isEqualTo(fits ? "n1" : "no suitable node (host-mode port already in use on 1 node)");
  }

  // ---- replicas per node ----

  @Test
  void aNodeTakesNoMoreOfAServiceThanItsLimit() {
    Scene scene = Scene.on("n1", "n2").service("web", task -> task.getPlacementBuilder().setMaxReplicas(1));
    assertThat(scene.waiting("web.1", "web.2", "web.3").where("web.1", "web.2", "web.3"))
        .containsExactly("n1", "n2", "no suitable node (max replicas per node limit exceed)");
  }

  @Test
  void oneThatIsToldToStopDoesNotCountAgainstIt() {
    Scene scene = Scene.on("n1").service("web", task -> task.getPlacementBuilder().setMaxReplicas(1)).running("n1", "web.1");
    assertThat(scene.waiting("web.2").where("web.2")).isEqualTo("no suitable node (max replicas per node limit exceed)");
    assertThat(scene.wants("web.1", TASK_SHUTDOWN).where("web.2")).as("else no update could go on").isEqualTo("n1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"node.id==n1", "node.id!=n2"})
  void severalFiltersApplyTogether(String constraint) {
    Scene scene = Scene.on("n1", "n2").service("web", task -> task.getPlacementBuilder().setMaxReplicas(1).addConstraints(constraint));
    assertThat(scene.waiting("web.1", "web.2").where("web.1", "web.2"))
        .containsExactly("n1", "no suitable node (scheduling constraints not satisfied on 1 node; max replicas per node limit exceed)");
  }
}
