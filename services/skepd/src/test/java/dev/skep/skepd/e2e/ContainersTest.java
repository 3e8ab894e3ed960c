package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.skepd.deploy.Dashboard;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/** deploy/compose.yaml as a whole: three etcd, three Kafka, two of every control service, and what users do with it. */
@Tag("e2e")
@Tag("engine")
@Tag("long")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ContainersTest {
  private InContainers containers;

  @BeforeAll
  void up() {
    containers = InContainers.boot("cont", "compose.yaml");
  }

  @AfterAll
  void end() {
    if (containers != null) {
      containers.close();
    }
  }

  @Test
  @Order(1)
  void aStackIsDeployedAndAnswersThroughEitherApi() {
    containers.deployHello();
    assertThat(containers.docker("2/docker.sock", new String[] {"service", "ls", "--format", "{{.Name}}"}).lines()).containsExactlyInAnyOrder("hello_web", "hello_greeter");
  }

  @Test
  @Order(2)
  void everyContainerIsHealthyAndSeenByPrometheus() {
    containers.healthy();
    containers.watched("Prometheus finds nobody down", () -> containers.prometheus("count(up==0) or vector(0)").replaceFirst(".*,\"(\\d+)\"].*", "$1"), "0");
    containers.watched("and asks all", () -> containers.prometheus("count(up==1)").replaceFirst(".*,\"(\\d+)\"].*", "$1"), "18");
  }

  @Test
  @Order(3)
  void theLogIsKeptThreeTimes() {
    for (String broker : List.of("kafka1", "kafka2", "kafka3")) {
      containers.watched(broker + " has the log", () -> String.valueOf(containers.compose.exec(broker, "/bin/busybox", "test", "-d", "/var/lib/kafka/data/skep.changes-0").exit()), "0");
    }
  }

  /** Every query of every panel, on the real Prometheus: after some of all that is counted has happened. */
  @Test
  @Order(4)
  void everyQueryOfTheDashboardFindsSomething() {
    provoke();
    Dashboard dashboard = Dashboard.read(InContainers.DEPLOY.resolve("grafana/dashboards/skep.json"));
    List<String> silent = new ArrayList<>();
    dashboard.panels().forEach(panel -> silent.addAll(panel.queries()));
    assertThat(silent).hasSizeGreaterThan(40);
    containers.watched("every query finds a series", () -> {
      silent.removeIf(query -> containers.prometheus(query).contains("\"value\":["));
      return String.join("\n", silent);
    }, "");
  }

  /** What does not happen by itself: a port that nobody serves, a task that does not listen, an image that is not there, names of the world. */
  private void provoke() {
    containers.docker("service", "create", "--detach", "--no-resolve-image", "--name", "deaf", "--publish", "8081:81", "skep-hello:1").succeeds();
    containers.docker("service", "create", "--detach", "--no-resolve-image", "--name", "absent", "--publish", "8082:80", "nosuch:1").succeeds();
    containers.replicas("deaf", "1/1");
    String web = containers.machine.engine("ps", "-q", "--filter", "label=com.docker.swarm.service.name=hello_web").lines().getFirst();
    containers.machine.engine("exec", web, "nslookup", "example.org");
    for (String port : List.of("8081", "8082")) {
      containers.machine.get("http://" + Machine.ADDRESS + ":" + port + "/");
    }
  }

  @Test
  @Order(5)
  void halfOfAllControlServicesMayDie() {
    containers.docker("service", "rm", "deaf", "absent").succeeds();
    for (String service : List.of("orchestrator1", "allocator1", "scheduler1", "dispatcher1", "relay1", "etcd1", "kafka1")) {
      containers.machine.engine("kill", containers.compose.container(service)).succeeds();
    }
    containers.docker("service", "scale", "--detach", "hello_web=5").succeeds();
    containers.replicas("hello_web", "5/5");
    containers.compose.compose("up", "-d", "--no-recreate", "etcd1", "kafka1", "orchestrator1", "allocator1", "scheduler1", "dispatcher1", "relay1").succeeds();
    containers.healthy();
  }

  /** What nodes run goes on while the whole cluster is stopped and started again; every process of ours ends in order. */
  @Test
  @Order(6)
  void theClusterIsStoppedAndStartedAgain() {
    String before = containers.tasks("hello");
    assertThat(before.lines()).hasSize(7);
    containers.stopInOrder();
    assertThat(containers.tasks("hello")).isEqualTo(before);
    containers.compose.up(containers.services());
    containers.watched("the API is back", () -> containers.docker("node", "ls", "--format", "{{.Status}}").text(), "Ready");
    containers.answers();
    assertThat(containers.tasks("hello")).isEqualTo(before);
  }

  @Test
  @Order(7)
  void downLeavesNothing() {
    assertThat(containers.docker("stack", "rm", "hello").succeeds().output()).contains("Removing service hello_web", "Removing service hello_greeter");
    containers.watched("nothing of the stack is left", () -> containers.tasks("hello"), "");
    containers.compose.compose("down", "--volumes").succeeds();
    assertThat(containers.machine.engine("ps", "-aq").text()).isEmpty();
    assertThat(containers.machine.engine("volume", "ls", "-q").text()).isEmpty();
  }
}
