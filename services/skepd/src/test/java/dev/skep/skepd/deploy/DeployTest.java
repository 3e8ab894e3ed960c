package dev.skep.skepd.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.agent.AgentConfig;
import dev.skep.controlapi.ControlApiConfig;
import dev.skep.dns.DnsComponent;
import dev.skep.dns.DnsConfig;
import dev.skep.ingress.IngressComponent;
import dev.skep.ingress.IngressConfig;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.host.ProcessSettings;
import dev.skep.skepd.SkepdConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The files of deploy/ against the code: no setting that a service would refuse, no metric that nobody counts. */
class DeployTest {
  private static final Path HOME = Path.of(System.getProperty("skep.home", "../..")).toAbsolutePath().normalize();
  private static final Path DEPLOY = HOME.resolve("deploy");
  private static final Map<String, String> VARIABLES = Map.of("SKEP_ADVERTISE_ADDR", "10.0.0.1");
  private static final Set<String> CONTROL = Set.of("control-api", "orchestrator", "allocator", "scheduler", "dispatcher", "relay");
  private static final Set<String> NODE = Set.of("agent", "ingress-lb", "dns-discovery");

  /** What the image sets for all. */
  private static final Map<String, String> IMAGE = Map.of("SKEP_METRICS_PORT", "9464", "SKEP_METRICS_ADDRESS", "0.0.0.0");

  private static String kind(Compose.Service service) {
    return service.image().replaceFirst("^skep/", "").replaceFirst(":.*", "");
  }

  /** Reads the settings as the service's main does. */
  private static void read(String kind, Settings settings) {
    switch (kind) {
      case "control-api" -> ControlApiConfig.from(settings, ProcessSettings.withStore(settings).run());
      case "orchestrator", "allocator", "scheduler", "dispatcher", "relay" -> ProcessSettings.withStore(settings);
      case "agent" -> AgentConfig.from(settings, ProcessSettings.withIdentity(settings).run());
      case "ingress-lb" -> {
        ProcessSettings.plain(settings);
        IngressConfig.from(settings.of(IngressComponent.NAME));
      }
      case "dns-discovery" -> {
        ProcessSettings.plain(settings);
        DnsConfig.from(settings.of(DnsComponent.NAME));
      }
      case "admin" -> {
        ProcessSettings.withStore(settings);
        settings.required("advertise-addr", "an address");
      }
      default -> throw new IllegalArgumentException("there is no service " + kind);
    }
    settings.refuseUnknown();
  }

  @ParameterizedTest
  @ValueSource(strings = {"compose.yaml", "compose.small.yaml"})
  void everyServiceAcceptsWhatTheComposeFileSays(String file) {
    Compose compose = Compose.read(DEPLOY.resolve(file), VARIABLES);
    Set<String> kinds = new TreeSet<>();
    for (Compose.Service service : compose.services().values()) {
      if (!service.image().startsWith("skep/")) {
        continue;
      }
      kinds.add(kind(service));
      Map<String, String> environment = new java.util.TreeMap<>(IMAGE);
      environment.putAll(service.environment());
      List<String> flags = service.list("command").stream().filter(word -> word.startsWith("--")).toList();
      Settings settings = Settings.load(Optional.empty(), environment, flags);
      assertThatCode(() -> read(kind(service), settings)).as(service.name()).doesNotThrowAnyException();
    }
    assertThat(kinds).containsAll(CONTROL).containsAll(NODE).contains("admin");
  }

  @Test
  void theSmallFileHasOneOfEach() {
    Compose small = Compose.read(DEPLOY.resolve("compose.small.yaml"), VARIABLES);
    assertThat(small.services().keySet()).containsAll(CONTROL).containsAll(NODE).contains("etcd1", "kafka1", "prometheus", "grafana");
    Compose large = Compose.read(DEPLOY.resolve("compose.yaml"), VARIABLES);
    assertThat(large.services().keySet()).contains("etcd1", "etcd2", "etcd3", "kafka1", "kafka2", "kafka3", "prometheus", "grafana");
    for (String service : CONTROL) {
      assertThat(large.services()).as("replicated").containsKeys(service + "1", service + "2");
    }
    assertThatThrownBy(() -> Compose.read(DEPLOY.resolve("compose.yaml"), Map.of())).hasMessageStartingWith("SKEP_ADVERTISE_ADDR is missing");
  }

  @ParameterizedTest
  @ValueSource(strings = {"compose.yaml", "compose.small.yaml"})
  void onlyWhoNeedsItHasPrivileges(String file) {
    Compose compose = Compose.read(DEPLOY.resolve(file), VARIABLES);
    for (Compose.Service service : compose.services().values()) {
      if (!service.image().startsWith("skep/")) {
        continue;
      }
      assertThat(service.list("cap_drop")).as(service.name()).containsExactly("ALL");
      boolean socket = service.list("volumes").stream().anyMatch(volume -> volume.contains("docker.sock"));
      assertThat(socket).as(service.name() + " holds the engine's socket").isEqualTo(Set.of("control-api", "agent").contains(kind(service)));
      if (CONTROL.contains(kind(service))) {
        assertThat(service.list("volumes")).as("only reads the identity").contains("identity:/identity:ro");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"compose.yaml prometheus.yml", "compose.small.yaml small.yml"})
  void prometheusAsksEveryProcess(String files) throws IOException {
    Compose compose = Compose.read(DEPLOY.resolve(files.split(" ")[0]), VARIABLES);
    String asked = Files.readString(DEPLOY.resolve("prometheus").resolve(files.split(" ")[1]));
    assertThat(compose.services().get("prometheus").list("command")).contains("--config.file=/etc/prometheus/" + files.split(" ")[1]);
    List<String> expected = new ArrayList<>();
    for (Compose.Service service : compose.services().values()) {
      if (service.image().startsWith("skep/") && CONTROL.contains(kind(service))) {
        expected.add("\"" + service.name() + ":9464\"");
      } else if (service.image().startsWith("skep/") && NODE.contains(kind(service))) {
        expected.add("\"host.skep:" + service.environment().get("SKEP_METRICS_PORT") + "\"");
      } else if (service.name().startsWith("etcd")) {
        expected.add("\"" + service.name() + ":2379\"");
      }
    }
    assertThat(asked).contains(expected);
    Matcher names = Pattern.compile("\"([a-z0-9-]+):\\d+\"").matcher(asked);
    while (names.find()) {
      assertThat(names.group(1)).satisfiesAnyOf(
          name -> assertThat(compose.services()).containsKey(name), name -> assertThat(name).isEqualTo("host.skep"));
    }
  }

  @Test
  void everyQueryOfADashboardUsesAMetricThatExists() throws IOException {
    Set<String> counted = metricsOfTheCode();
    assertThat(counted).hasSizeGreaterThan(30);
    try (Stream<Path> dashboards = Files.list(DEPLOY.resolve("grafana/dashboards"))) {
      for (Path dashboard : dashboards.toList()) {
        String text = Files.readString(dashboard);
        Matcher queries = Pattern.compile("\"expr\": \"((?:[^\"\\\\]|\\\\.)*)\"").matcher(text);
        int seen = 0;
        while (queries.find()) {
          seen++;
          Matcher metric = Pattern.compile("\\b(?:skep|process|jvm)_[a-z0-9_]+").matcher(queries.group(1));
          while (metric.find()) {
            assertThat(known(metric.group(), counted)).as("%s in %s: %s", metric.group(), dashboard.getFileName(), queries.group(1)).isTrue();
          }
        }
        assertThat(seen).isGreaterThan(20);
        assertThat(text).contains("\"uid\": \"prometheus\"");
      }
    }
    assertThat(Files.readString(DEPLOY.resolve("grafana/provisioning/datasources/prometheus.yaml"))).contains("uid: prometheus");
  }

  /** A histogram has three; the JVM's own are those of the client library. */
  private static boolean known(String metric, Set<String> counted) {
    boolean library = Set.of("process_resident_memory_bytes", "process_cpu_seconds_total").contains(metric);
    return library || counted.contains(metric) || counted.contains(metric.replaceFirst("_(bucket|sum|count)$", ""));
  }

  private static Set<String> metricsOfTheCode() throws IOException {
    Pattern name = Pattern.compile("\"(skep_[a-z0-9]+(?:_[a-z0-9]+)+)\"");
    Set<String> found = new TreeSet<>();
    for (String part : List.of("libs", "services")) {
      try (Stream<Path> files = Files.walk(HOME.resolve(part))) {
        for (Path file : files.filter(path -> path.toString().endsWith(".java") && path.toString().contains("/src/main/")).toList()) {
          Matcher matcher = name.matcher(Files.readString(file));
          while (matcher.find()) {
            found.add(matcher.group(1));
          }
        }
      }
    }
    return found;
  }

  @ParameterizedTest
  @ValueSource(strings = {"skepd", "edge"})
  void theFilesForSystemdAreAccepted(String process) throws IOException {
    Settings settings = Settings.load(Optional.of(DEPLOY.resolve("systemd").resolve(process + ".properties")), Map.of(), List.of());
    SkepdConfig config = SkepdConfig.from(settings);
    settings.refuseUnknown();
    assertThat(config.metrics()).isPresent();
    String unit = Files.readString(DEPLOY.resolve("systemd").resolve(process.equals("edge") ? "skep-edge.service" : "skepd.service"));
    assertThat(unit).contains("ExecStart=/opt/skep/skep run " + process + " --config=/etc/skep/" + process + ".properties");
  }
}
