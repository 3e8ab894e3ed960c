package dev.skep.controlapi.shell;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.controlapi.ControlApi;
import dev.skep.controlapi.ControlApiConfig;
import dev.skep.state.Rows;
import dev.skep.testkit.TestHost;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** The unmodified CLI against control-api alone (nothing decides or runs tasks) and a real engine behind it. */
@Tag("engine")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DockerCliTest {
  private static PrivateEngine engine;
  private static TestHost host;
  private static Cli docker;

  @TempDir static Path folder;

  @BeforeAll
  static void start() throws Exception {
    engine = PrivateEngine.start();
    Path socket = folder.resolve("skep.sock");
    host =
        TestHost.start(
            new ControlApi(
                ControlApiConfig.defaults().withApi(List.of("unix://" + socket)).withEngine(engine.socket())
                    .withNodeWait(Duration.ofMillis(1))));
    docker = new Cli(socket);
  }

  @AfterAll
  static void stop() throws Exception {
    if (host != null) {
      host.close();
    }
    if (engine != null) {
      engine.close();
    }
  }

  @Test
  @Order(1)
  void beforeInit() throws Exception {
    assertThat(docker.run("version").ok()).contains("Skep").contains("1.41");
    assertThat(docker.run("info", "--format", "{{.Swarm.LocalNodeState}}").ok()).isEqualToIgnoringNewLines("inactive");
    assertThat(docker.run("node", "ls").err()).contains("This node is not a swarm manager. Use \"docker swarm init\"");
    assertThat(docker.run("network", "create", "-d", "overlay", "x").err()).contains("This node is not a swarm manager");
    assertThat(docker.run("swarm", "leave").err()).contains("This node is not part of a swarm");
  }

  @Test
  @Order(2)
  void initAndTheClusterItself() throws Exception {
    assertThat(docker.run("swarm", "init", "--advertise-addr", "0.0.0.0").err())
        .contains("advertise address must be a non-zero IP address");
    assertThat(docker.run("swarm", "init", "--advertise-addr", "127.0.0.1").ok()).contains("Swarm initialized").contains("SWMTKN-1-");
    assertThat(docker.run("swarm", "init").err()).contains("This node is already part of a swarm");
    assertThat(docker.run("info", "--format", "{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}").ok())
        .isEqualToIgnoringNewLines("active true");
    String before = docker.run("swarm", "join-token", "-q", "worker").ok();
    String manager = docker.run("swarm", "join-token", "-q", "manager").ok();
    docker.run("swarm", "join-token", "--rotate", "-q", "worker").ok();
    assertThat(docker.run("swarm", "join-token", "-q", "worker").ok()).isNotEqualTo(before);
    assertThat(docker.run("swarm", "join-token", "-q", "manager").ok()).isEqualTo(manager);
    docker.run("swarm", "update", "--task-history-limit", "3").ok();
    assertThat(docker.run("swarm", "update", "--autolock").err()).contains("not built yet");
    assertThat(docker.run("swarm", "ca").ok()).contains("BEGIN CERTIFICATE");
    assertThat(docker.run("swarm", "join", "--token", manager.strip(), "127.0.0.1").err()).contains("already part of a swarm");
    assertThat(docker.run("node", "ls", "--format", "{{.Availability}} {{.Self}}").ok()).isEqualToIgnoringNewLines("Active true");
    docker.run("node", "update", "--label-add", "disk=ssd", docker.run("node", "ls", "-q").ok().strip()).ok();
    assertThat(docker.run("node", "inspect", "self", "--format", "{{.Spec.Labels}}").ok()).contains("disk:ssd");
    assertThat(docker.run("node", "demote", docker.run("info", "--format", "{{.Swarm.NodeID}}").ok().strip()).err())
        .contains("last manager");
  }

  @Test
  @Order(3)
  void services() throws Exception {
    docker.run("service", "create", "-d", "--name", "web", "--replicas", "2", "-p", "8080:80", "busybox:test", "sleep", "9").ok();
    assertThat(docker.run("service", "ls").ok()).contains("web").contains("0/2");
    assertThat(docker.run("service", "ps", "web").ok()).contains("ID");
    assertThat(docker.run("service", "inspect", "--pretty", "web").ok()).contains("Replicas:	2");
    assertThat(docker.run("service", "create", "-d", "--name", "web", "busybox:test").err())
        .contains("name conflicts with an existing object");
    assertThat(docker.run("service", "create", "-d", "--name", "w2", "-p", "8080:80", "busybox:test").err())
        .contains("port '8080' is already in use");
    docker.run("service", "scale", "-d", "web=4").ok();
    docker.run("service", "update", "-d", "--env-add", "A=1", "web").ok();
    assertThat(docker.run("service", "inspect", "web", "--format", "{{.Spec.TaskTemplate.ContainerSpec.Env}} {{.PreviousSpec.Name}}").ok())
        .contains("[A=1] web");
    assertThat(docker.run("service", "rollback", "-d", "web").err()).contains("not built yet");
    docker.run("service", "rm", "web").ok();
    assertThat(docker.run("service", "rm", "web").err()).containsAnyOf("service web not found", "No such service: web");
    assertThat(docker.run("service", "ps", "web").err()).contains("no such service: web");
    assertThat(docker.run("secret", "ls").ok()).contains("ID");
    assertThat(docker.with("x", "secret", "create", "s", "-").err()).contains("secrets is not built yet");
  }

  @Test
  @Order(4)
  void networks() throws Exception {
    docker.run("network", "create", "-d", "overlay", "ov1").ok();
    docker.run("network", "create", "br1").ok();
    assertThat(docker.run("network", "create", "-d", "overlay", "ov1").err()).contains("network with name ov1 already exists");
    assertThat(docker.run("network", "create", "-d", "overlay", "br1").err()).contains("network with name br1 already exists");
    assertThat(docker.run("network", "create", "ov1").err()).contains("network with name ov1 already exists");
    assertThat(docker.run("network", "create", "-d", "overlay", "--attachable", "ov2").err()).contains("not built yet");
    String id = docker.run("network", "inspect", "ov1", "--format", "{{.Id}} {{.Scope}} {{.Driver}}").ok();
    assertThat(id).endsWith(" swarm overlay\n");
    String backing = "skep-" + id.substring(0, id.indexOf(' '));
    new Cli(engine.socket()).run("network", "create", "--label", "skep.cluster=c", backing).ok();
    assertThat(docker.run("network", "ls").ok()).contains("ov1").contains("br1").contains("ingress").doesNotContain("skep-");
    assertThat(docker.run("network", "inspect", backing, "--format", "{{.Name}}").ok()).isEqualToIgnoringNewLines("ov1");
    for (String name : List.of("ov1", backing)) {
      assertThat(docker.run("run", "--rm", "--network", name, "busybox:test", "true").err())
          .contains("attaching containers to overlay networks is not built yet");
    }
    docker.run("run", "-d", "--name", "lone", "busybox:test", "sleep", "100").ok();
    assertThat(docker.run("network", "connect", "ov1", "lone").err()).contains("attaching containers to overlay networks is not built yet");
    docker.run("network", "connect", "br1", "lone").ok();
    docker.run("rm", "-f", "lone").ok();
    docker.run("system", "prune", "-f").ok();
    assertThat(docker.run("network", "ls").ok()).contains("ov1").doesNotContain("br1");
    assertThat(new Cli(engine.socket()).run("network", "ls").ok()).contains("skep-");
    docker.run("network", "rm", "ov1").ok();
    assertThat(docker.run("network", "rm", "ov1").err()).containsAnyOf("network ov1 not found", "No such network: ov1");
    assertThat(docker.run("network", "rm", "bridge").err()).contains("pre-defined network");
    new Cli(engine.socket()).run("network", "rm", backing).ok();
  }

  @Test
  @Order(5)
  void stacks() throws Exception {
    Path compose =
        Files.writeString(
            folder.resolve("compose.yml"),
            """
            version: "3.8"
            services:
              web:
                image: busybox:test
                command: sleep 100
                ports: ["8081:80"]
                networks: [front]
                environment: {A: "1"}
              agent:
                image: busybox:test
                deploy: {mode: global}
                networks: [front]
            networks:
              front:
            """);
    String[] deploy = {"stack", "deploy", "-c", compose.toString(), "demo"};
    docker.run(deploy).ok();
    String[] index = {"service", "inspect", "demo_web", "--format", "{{.Version.Index}}"};
    String first = docker.run(index).ok();
    docker.run(deploy).ok();
    assertThat(docker.run(index).ok()).isNotEqualTo(first);
    assertThat(host.view().state().rows(Rows.TEMPLATE)).as("an unchanged stack makes no templates").hasSize(2);
    assertThat(docker.run("stack", "ls").ok()).contains("demo");
    assertThat(docker.run("stack", "services", "demo").ok()).contains("demo_web").contains("demo_agent");
    assertThat(docker.run("network", "rm", "demo_front").err()).contains("is in use by service");
    docker.run("stack", "rm", "demo").ok();
    docker.run(deploy).ok();
    docker.run("stack", "rm", "demo").ok();
    assertThat(docker.run("stack", "ls").ok()).doesNotContain("demo");
  }

  @Test
  @Order(6)
  void passingThrough() throws Exception {
    docker.run("run", "-d", "--name", "c1", "busybox:test", "sh", "-c", "for i in 1 2 3; do echo line $i; done; sleep 1000").ok();
    assertThat(docker.with("hello", "exec", "-i", "c1", "sh", "-c", "cat; sleep 1; echo after").ok()).isEqualTo("helloafter\n");
    assertThat(docker.run("exec", "-i", "c1", "sh", "-c", "sleep 1; seq 1 20000").ok().lines().count()).isEqualTo(20000);
    assertThat(docker.with("a\nb\n", "run", "--rm", "-i", "busybox:test", "wc", "-l").ok().strip()).isEqualTo("2");
    assertThat(docker.run("run", "--rm", "busybox:test", "sh", "-c", "exit 7").exit()).isEqualTo(7);
    assertThat(docker.run("logs", "c1").ok()).isEqualTo("line 1\nline 2\nline 3\n");
    Path context = Files.createDirectory(folder.resolve("context"));
    Files.writeString(context.resolve("Dockerfile"), "FROM busybox:test\nCOPY big /big\nRUN wc -c /big\n");
    Files.write(context.resolve("big"), new byte[12 << 20]);
    assertThat(docker.run("build", "-t", "built:test", context.toString()).ok()).contains("12582912");
    docker.run("cp", "c1:/bin/busybox", folder.resolve("copy").toString()).ok();
    assertThat(Files.size(folder.resolve("copy"))).isEqualTo(Files.size(Path.of("/bin/busybox")));
    docker.run("rm", "-f", "c1").ok();
    assertThat(docker.run("events", "--since", "0", "--until", "1", "--format", "{{.Type}}").ok()).isEmpty();
    String events = docker.run("events", "--since", "1h", "--until", "0s", "--format", "{{.Type}} {{.Action}}").ok();
    assertThat(events).contains("service create").contains("network remove").contains("container exec_create");
    assertThat(docker.run("inspect", "nosuchthing").err()).contains("No such object");
  }

  @Test
  @Order(7)
  void leaving() throws Exception {
    assertThat(docker.run("swarm", "leave").err()).contains("Use `--force`");
    docker.run("swarm", "leave", "--force").ok();
    assertThat(docker.run("info", "--format", "{{.Swarm.LocalNodeState}}").ok()).isEqualToIgnoringNewLines("inactive");
    docker.run("swarm", "init", "--advertise-addr", "127.0.0.1").ok();
    assertThat(docker.run("service", "ls", "-q").ok()).isEmpty();
  }
}
