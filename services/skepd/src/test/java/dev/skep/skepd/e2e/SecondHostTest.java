package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/** A cluster of containers on one host (deploy/compose.small.yaml), and a second host with skepd that becomes a manager of it. */
@Tag("e2e")
@Tag("engine")
@Tag("long")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SecondHostTest {
  private static final int CONTAINERS = 1;
  private static final int SECOND = 2;
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String COMPOSE = """
      unset DOCKER_HOST; cd %s; export SKEP_ADVERTISE_ADDR=%s
      export ETCD_IMAGE=skep-infra/etcd:local KAFKA_IMAGE=skep-infra/kafka:local PROMETHEUS_IMAGE=skep-infra/prometheus:local
      compose() { if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi; }
      compose -f deploy/compose.small.yaml -f deploy/compose.managers.yaml\s""";

  private Lab lab;

  @BeforeAll
  void up() {
    lab = Lab.up("second", 2, "--no-init");
    lab.sh(CONTAINERS, "skep down --edge && rm -rf /var/lib/skep/*").succeeds();
    for (String script : List.of("images", "infra-images")) {
      Path engine = lab.folder(CONTAINERS).resolve("run/docker.sock");
      new Command(List.of(InContainers.DEPLOY.resolve(script).toString(), "--engine", "unix://" + engine), Map.of(), Duration.ofMinutes(10)).run().succeeds();
    }
    compose("up -d $(compose -f deploy/compose.small.yaml config --services | grep -v grafana)");
    managers("node1 Ready Leader");
  }

  @AfterAll
  void end() {
    if (lab != null) {
      lab.close();
    }
  }

  private void compose(String words) {
    lab.sh(CONTAINERS, COMPOSE.formatted(Machine.HOME, lab.address(CONTAINERS)) + words).succeeds();
  }

  /** As the manager that is asked sees all nodes. */
  private void managers(String... rows) {
    String format = "{{.Hostname}} {{.Status}} {{.ManagerStatus}}";
    Machine.within(PATIENCE, "nodes are " + List.of(rows), () -> lab.docker("node", "ls", "--format", format).lines().stream().map(String::strip).sorted().toList(),
        List.of(rows)::equals);
  }

  private Command.Result joins() {
    return lab.dockerOn(SECOND, "swarm", "join", "--token", lab.token("manager"), lab.address(CONTAINERS) + ":2377");
  }

  @Test
  @Order(1)
  void whoCannotReachTheStoreIsToldWhatToDo() {
    String said = joins().fails().output();
    assertThat(said).contains("the store etcd://etcd1:2379 cannot be used from this host").contains("Unable to resolve host etcd1");
    String clean = said.substring(said.indexOf("docker node demote"), said.indexOf("; then join again"));
    for (String command : clean.split(" && ")) {
      lab.docker(command.substring("docker ".length()).split(" ")).succeeds();
    }
    managers("node1 Ready Leader");
    assertThat(lab.dockerOn(SECOND, "info", "--format", "{{.Swarm.LocalNodeState}}").text()).isEqualTo("inactive");
    assertThat(lab.sh(SECOND, "grep -c 'Failed to resolve name' /var/lib/skep/log/skepd.log").output().strip()).as("said once, with the refusal").isEqualTo("0");
  }

  @Test
  @Order(2)
  void aHostThatKnowsTheNamesJoins() {
    lab.sh(SECOND, "cp /etc/hosts /run/hosts && echo '" + lab.address(CONTAINERS) + " etcd1 kafka1' >>/run/hosts && mount --bind /run/hosts /etc/hosts").succeeds();
    assertThat(joins().succeeds().output()).contains("This node joined a swarm as a manager.");
    managers("node1 Ready Leader", "node2 Ready Reachable");
    lab.asks(SECOND).docker("stack", "deploy", "--resolve-image", "never", "-c", Machine.HOME.resolve("examples/hello/compose.yaml").toString(), "hello").succeeds();
    lab.replicas("hello_web", "3/3");
    lab.replicas("hello_greeter", "2/2");
  }

  /** All that decides on the first host goes at once, its agent stays: it is the second host's now. */
  @Test
  @Order(3)
  void whereAHostsControlServicesAreAwayTheOtherHostHasItsTasks() {
    compose("stop control-api orchestrator allocator scheduler dispatcher relay");
    lab.docker("service", "create", "--detach", "--name", "there", "--constraint", "node.hostname==node1", "--entrypoint", "sleep", "--stop-signal", "SIGKILL",
        ThreeNodes.IMAGE, "100000").succeeds();
    lab.replicas("there", "1/1");
    assertThat(lab.containers(CONTAINERS, "there")).hasSize(1);
    managers("node1 Ready Unreachable", "node2 Ready Leader");
    compose("start control-api orchestrator allocator scheduler dispatcher relay");
    managers("node1 Ready Reachable", "node2 Ready Leader");
  }

  @Test
  @Order(4)
  void theHostOfTheContainersIsDemotedAndWorksOn() {
    assertThat(lab.docker("node", "demote", "node1").succeeds().output()).contains("Manager node1 demoted in the swarm.");
    managers("node1 Ready", "node2 Ready Leader");
    lab.docker("service", "scale", "--detach", "hello_web=5").succeeds();
    lab.replicas("hello_web", "5/5");
    assertThat(lab.docker("node", "promote", "node1").fails().output()).contains("nothing on that host can start control services");
    assertThat(lab.containers(CONTAINERS, "there")).hasSize(1);
  }
}
