package dev.skep.agent.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.TextFormat;
import dev.skep.dispatcher.v1.TaskAssignment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ContainerBodyTest {
  private static final Ownership OWNERSHIP = new Ownership("", "cluster", "node1");

  static TaskAssignment task(String text) throws Exception {
    return TextFormat.parse(
        """
        id: "t1" service_id: "s1" service_name: "web" slot: 3 node_id: "node1"
        service_labels { key: "tier" value: "front" }
        """
            + text,
        TaskAssignment.class);
  }

  private static Map<String, Object> body(TaskAssignment task, int minor) {
    return ContainerBody.of(
        task, new ContainerBody.Setting(OWNERSHIP, new ApiVersion(1, minor), "host1", "x86_64", "linux", "10.0.1.1", Optional.empty()));
  }

  private static final String FULL =
      """
      spec {
        container_spec {
          image: "img:1" command: "/bin/sh" args: "-c" args: "true" hostname: "{{.Service.Name}}-{{.Task.Slot}}"
          env: "NODE={{.Node.Hostname}}" env: "PLAIN=1" dir: "/srv" user: "1000" groups: "audio" tty: true open_stdin: true read_only: true
          labels { key: "mine" value: "yes" } labels { key: "skep.cluster" value: "forged" }
          stop_signal: "SIGUSR1" init: false oom_score_adj: 5
          healthcheck { test: "CMD" test: "true" interval: 1000000000 retries: 2 start_interval: 5 }
          hosts: "10.1.1.1 db db.local"
          dns_config { nameservers: "9.9.9.9" search: "x.y" options: "timeout:1" }
          sysctls { key: "net.core.somaxconn" value: "5" }
          capability_add: "CAP_NET_ADMIN" capability_drop: "CAP_CHOWN"
          ulimits { name: "nofile" hard: 10 soft: 5 }
          mounts { type: "bind" source: "/data/{{.Task.Slot}}" target: "/d" read_only: true bind_options { propagation: "rslave" } }
          mounts { type: "volume" source: "v" target: "/v" volume_options { no_copy: true driver_config { name: "local" options { key: "o" value: "1" } } } }
          mounts { type: "tmpfs" target: "/t" tmpfs_options { size_bytes: 1024 mode: 448 } }
          privileges { no_new_privileges: true selinux_context { disable: true } }
        }
        resources { limits { nano_cpus: 500000000 memory_bytes: 67108864 pids: 9 } reservations { memory_bytes: 33554432 } }
        log_driver { name: "json-file" options { key: "max-size" value: "1m" } }
      }
      attachments { network_id: "n1" address: "10.0.1.7/24" aliases: "web" }
      attachments { network_id: "n2" address: "10.0.2.7/24" }
      host_ports { protocol: "tcp" target_port: 80 published_port: 8080 publish_mode: "host" }
      host_ports { protocol: "udp" target_port: 53 publish_mode: "host" }
      """;

  @Test
  void everyOptionOfTheSpecReachesTheEngine() throws Exception {
    Map<String, Object> body = body(task(FULL), 41);
    assertThat(body)
        .containsEntry("Image", "img:1")
        .containsEntry("Hostname", "web-3")
        .containsEntry("Entrypoint", List.of("/bin/sh"))
        .containsEntry("Cmd", List.of("-c", "true"))
        .containsEntry("Env", List.of("NODE=host1", "PLAIN=1"))
        .containsEntry("WorkingDir", "/srv")
        .containsEntry("StopSignal", "SIGUSR1")
        .containsEntry("MacAddress", "02:42:0a:00:01:07")
        .containsEntry("Healthcheck", Map.of("Test", List.of("CMD", "true"), "Interval", 1000000000L, "Retries", 2L));
    assertThat(body.get("Labels").toString()).contains("mine=yes", "skep.cluster=cluster", "com.docker.swarm.task.name=web.3.t1");
    assertThat(body.get("NetworkingConfig"))
        .isEqualTo(Map.of("EndpointsConfig", Map.of("skep-n1", Map.of("IPAMConfig", Map.of("IPv4Address", "10.0.1.7")))));
    @SuppressWarnings("unchecked")
    Map<String, Object> host = (Map<String, Object>) body.get("HostConfig");
    assertThat(host)
        .containsEntry("NetworkMode", "skep-n1")
        .containsEntry("Dns", List.of("10.0.1.1"))
        .containsEntry("DnsSearch", List.of("x.y"))
        .containsEntry("DnsOptions", List.of("timeout:1"))
        .containsEntry("ExtraHosts", List.of("db:10.1.1.1", "db.local:10.1.1.1"))
        .containsEntry("Memory", 67108864L)
        .containsEntry("NanoCpus", 500000000L)
        .containsEntry("PidsLimit", 9L)
        .containsEntry("MemoryReservation", 33554432L)
        .containsEntry("Init", false)
        .containsEntry("SecurityOpt", List.of("label=disable", "no-new-privileges"))
        .containsEntry("LogConfig", Map.of("Type", "json-file", "Config", Map.of("max-size", "1m")))
        .containsEntry("PortBindings", Map.of("80/tcp", List.of(Map.of("HostPort", "8080")), "53/udp", List.of(Map.of("HostPort", ""))));
    assertThat(host.get("Mounts").toString()).contains("/data/3", "Propagation=rslave", "NoCopy=true", "SizeBytes=1024", "Mode=448");
    assertThat(ContainerBody.joinedLater(task(FULL), new ApiVersion(1, 41))).containsExactly("n2");
  }

  @Test
  void aNewerEngineTakesAllNetworksWithTheirMacsAtOnce() throws Exception {
    Map<String, Object> body = body(task(FULL), 44);
    assertThat(body).doesNotContainKey("MacAddress");
    assertThat(body.get("NetworkingConfig").toString()).contains("skep-n1", "skep-n2", "MacAddress=02:42:0a:00:02:07");
    assertThat(body.get("Healthcheck").toString()).contains("StartInterval=5");
    assertThat(ContainerBody.joinedLater(task(FULL), new ApiVersion(1, 44))).isEmpty();
  }

  @Test
  void ndotsIsKeptFromTheEnginesResolver() throws Exception {
    TaskAssignment task =
        task("spec { container_spec { image: \"i\" dns_config { search: \"a.b\" options: \"ndots:2\" options: \"timeout:1\" } } } "
            + "attachments { network_id: \"n1\" address: \"10.0.1.7/24\" }");
    assertThat(ContainerBody.resolvConf(task, "10.0.1.1")).contains("nameserver 10.0.1.1\nsearch a.b\noptions ndots:2 timeout:1\n");
    Map<String, Object> body =
        ContainerBody.of(
            task,
            new ContainerBody.Setting(OWNERSHIP, new ApiVersion(1, 41), "h", "x86_64", "linux", "10.0.1.1", Optional.of("/data/resolv/t1")));
    assertThat(body.get("HostConfig").toString()).contains("DnsOptions=[timeout:1]", "Source=/data/resolv/t1", "Target=/etc/resolv.conf");
    assertThat(ContainerBody.resolvConf(task(FULL), "10.0.1.1")).isEmpty();
  }

  @Test
  void placeholdersAreFilledInOrRefused() throws Exception {
    Placeholders placeholders = new Placeholders(task("global: false"), "host1", "x86_64", "linux");
    assertThat(placeholders.expand("a {{ .Task.Name }}/{{.Node.Platform.OS}} {{index .Service.Labels \"tier\"}}")).isEqualTo("a web.3.t1/linux front");
    assertThat(placeholders.expand("x {{- \" {{ \" -}} y")).isEqualTo("x {{ y");
    assertThatThrownBy(() -> placeholders.expand("{{.Task.Nope}}")).isInstanceOf(Placeholders.Unknown.class).hasMessageContaining(".Task.Nope");
    assertThatThrownBy(() -> placeholders.expand("{{.Task.Name")).isInstanceOf(Placeholders.Unknown.class);
  }
}
