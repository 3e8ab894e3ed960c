package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.skepd.deploy.Compose;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Every service in a container of its own, as deploy/compose.small.yaml has it: images built on a private engine without
 * a registry, etcd and Kafka beside them, a stack deployed through it all.
 */
@Tag("e2e")
@Tag("engine")
@Tag("long")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ContainersTest {
  private static final Path DEPLOY = Machine.HOME.resolve("deploy");
  private static final Duration BUILD = Duration.ofMinutes(10);

  private Machine machine;
  private Compose compose;
  private ComposeRun run;
  private String api;

  @BeforeAll
  void up() {
    machine = Machine.boot("cont");
    try {
      Path folder = machine.data().getParent();
      api = "unix://" + folder.resolve("run/docker.sock");
      script("images");
      script("infra-images");
      compose = Compose.read(DEPLOY.resolve("compose.small.yaml"), Map.of(
          "SKEP_ADVERTISE_ADDR", Machine.ADDRESS, "ETCD_IMAGE", "skep-infra/etcd:local", "KAFKA_IMAGE", "skep-infra/kafka:local",
          "PROMETHEUS_IMAGE", "skep-infra/prometheus:local", "SKEP_RUN_DIR", folder.resolve("run").toString(),
          "SKEP_NODE_DIR", folder.resolve("node").toString(), "SKEP_ENGINE_SOCKET", machine.engineSocket()));
      run = new ComposeRun(machine, compose);
      Set<String> services = new TreeSet<>(compose.services().keySet());
      services.remove("grafana"); // its image is on a registry only
      run.up(services);
      watched("the node is ready", () -> docker("node", "ls", "--format", "{{.Status}} {{.ManagerStatus}}").text(), "Ready Leader");
    } catch (RuntimeException | Error e) {
      end();
      throw e;
    }
  }

  private void script(String name) {
    new Command(java.util.List.of(DEPLOY.resolve(name).toString(), "--engine", "unix://" + machine.engineSocket()), Map.of(), BUILD).run().succeeds();
  }

  private Command.Result docker(String... words) {
    return machine.cli(Machine.NEW_CLI, api, words).run();
  }

  /** As {@link Machine#eventually}; the failure shows what the containers say. */
  private void watched(String what, java.util.function.Supplier<String> question, String answer) {
    try {
      Machine.eventually(what, question, answer::equals);
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + "\n" + run.state(), e);
    }
  }

  private void replicas(String service, String wanted) {
    watched(service + " has " + wanted,
        () -> docker("service", "ls", "--filter", "name=" + service, "--format", "{{.Replicas}}").text(), wanted);
  }

  @AfterAll
  void end() {
    if (machine == null) {
      return;
    }
    // what starts containers goes first
    machine.engine("rm", "-f", ComposeRun.container("agent"));
    machine.close();
    machine = null;
  }

  @Test
  @Order(1)
  void aStackIsDeployedAndAnswers() {
    docker("stack", "deploy", "--resolve-image", "never", "-c", Machine.HOME.resolve("examples/hello/compose.yaml").toString(), "hello").succeeds();
    replicas("hello_web", "3/3");
    replicas("hello_greeter", "2/2");
    watched("the published port answers", () -> machine.get("http://127.0.0.1:8080/cgi-bin/index.cgi").replaceFirst(" from.*", ""), "hello");
    assertThat(machine.outside("curl -s -m 5 http://" + Machine.ADDRESS + ":8080/cgi-bin/index.cgi").text()).contains("which heard: greetings from");
  }

  @Test
  @Order(2)
  void everyProcessIsHealthyAndPrometheusSeesIt() {
    watched("all containers are healthy",
        () -> machine.engine("ps", "--filter", "name=^skep-", "--filter", "health=unhealthy", "--format", "{{.Names}}").text()
            + machine.engine("ps", "--filter", "name=^skep-", "--filter", "health=starting", "--format", "{{.Names}}").text(), "");
    watched("Prometheus finds nobody down",
        () -> machine.get("http://127.0.0.1:9090/api/v1/query?query=count(up==1)").replaceFirst(".*,\"(\\d+)\"].*", "$1"), "10");
    assertThat(machine.get("http://127.0.0.1:9090/api/v1/query?query=max(skep_cluster_services)")).contains("\"2\"");
  }

  @Test
  @Order(3)
  void aServiceThatIsReplacedGoesOnWhereItWas() {
    for (String service : java.util.List.of("orchestrator", "scheduler", "dispatcher", "control-api")) {
      machine.engine("kill", ComposeRun.container(service)).succeeds();
      machine.engine("start", ComposeRun.container(service)).succeeds(); // what was killed by hand is not started by itself
    }
    watched("the API is back", () -> docker("node", "ls", "--format", "{{.Status}}").text(), "Ready");
    docker("service", "scale", "--detach", "hello_web=5").succeeds();
    replicas("hello_web", "5/5");
  }

  @Test
  @Order(4)
  void eachEndsInOrderWhenAsked() {
    docker("stack", "rm", "hello").succeeds();
    watched("nothing of the stack is left", () -> machine.engine("ps", "-q", "--filter", "label=com.docker.stack.namespace=hello").text(), "");
    for (Compose.Service service : compose.services().values()) {
      if (service.image().startsWith("skep/") && !service.name().equals("init")) {
        machine.engine("stop", "-t", "25", ComposeRun.container(service.name())).succeeds();
        assertThat(machine.engine("inspect", "-f", "{{.State.ExitCode}}", ComposeRun.container(service.name())).text()).as(service.name()).isEqualTo("143");
      }
    }
  }
}
