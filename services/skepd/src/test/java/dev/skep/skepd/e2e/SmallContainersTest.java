package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/** deploy/compose.small.yaml as a whole. Long because of the images: fourteen are built before anything starts. */
@Tag("e2e")
@Tag("engine")
@Tag("long")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SmallContainersTest {
  private InContainers containers;

  @BeforeAll
  void up() {
    containers = InContainers.boot("cont", "compose.small.yaml");
  }

  @AfterAll
  void end() {
    if (containers != null) {
      containers.close();
    }
  }

  @Test
  @Order(1)
  void aStackIsDeployedAndAnswers() {
    containers.deployHello();
    containers.healthy();
  }

  @Test
  @Order(2)
  void everyServiceMayBeKilledAndGoesOnWhereItWas() {
    List<String> all = containers.control();
    assertThat(all).contains("orchestrator", "allocator", "scheduler", "dispatcher", "relay", "control-api", "agent");
    all.forEach(service -> containers.machine.engine("kill", containers.compose.container(service)).succeeds());
    containers.compose.up(containers.services());
    containers.watched("the API is back", () -> containers.docker("node", "ls", "--format", "{{.Status}}").text(), "Ready");
    containers.docker("service", "scale", "--detach", "hello_web=5").succeeds();
    containers.replicas("hello_web", "5/5");
    containers.answers();
  }

  @Test
  @Order(3)
  void eachEndsInOrderWhenAsked() {
    containers.docker("stack", "rm", "hello").succeeds();
    containers.watched("nothing of the stack is left", () -> containers.tasks("hello"), "");
    containers.stopInOrder();
  }
}
