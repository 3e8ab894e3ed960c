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

/** deploy/compose.small.yaml as a whole. Half of its time is the images: fourteen are built before anything starts. */
@Tag("e2e")
@Tag("engine")
@Tag("slow")
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

  /** Every process of ours at once, by kill -9: the engine starts them, and they go on where they were. */
  @Test
  @Order(2)
  void whoIsKilledIsStartedAgainAndGoesOn() {
    List<String> all = containers.control();
    assertThat(all).contains("orchestrator", "allocator", "scheduler", "dispatcher", "relay", "control-api", "agent", "ingress-lb", "dns-discovery");
    all.forEach(containers::crash);
    all.forEach(containers::startedAgain);
    containers.watched("the API is back", () -> containers.docker("node", "ls", "--format", "{{.Status}}").text(), "Ready");
    containers.docker("service", "scale", "--detach", "hello_web=5").succeeds();
    containers.replicas("hello_web", "5/5");
    containers.answers();
  }

  /** The identity is all services', and none of them may throw it away. */
  @Test
  @Order(3)
  void leavingIsForWhoeverStartedTheContainers() {
    assertThat(containers.docker("swarm", "leave", "--force").fails().output()).contains("docker compose down --volumes");
    assertThat(containers.docker("node", "ls", "--format", "{{.ManagerStatus}}").text()).isEqualTo("Leader");
  }

  @Test
  @Order(4)
  void eachEndsInOrderWhenAsked() {
    containers.docker("stack", "rm", "hello").succeeds();
    containers.watched("nothing of the stack is left", () -> containers.tasks("hello"), "");
    containers.stopInOrder();
  }
}
