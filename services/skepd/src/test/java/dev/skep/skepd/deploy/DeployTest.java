package dev.skep.skepd.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.skep.agent.AgentConfig;
import dev.skep.controlapi.ControlApiConfig;
import dev.skep.dns.DnsComponent;
import dev.skep.dns.DnsConfig;
import dev.skep.ingress.IngressComponent;
import dev.skep.ingress.IngressConfig;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.host.BasicHost;
import dev.skep.runtime.host.Launch;
import dev.skep.runtime.host.ProcessSettings;
import dev.skep.skepd.SkepdConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The files of deploy/ against the code: no setting that a service would refuse, no metric that nobody counts. */
class DeployTest {
  private static final Path HOME = Path.of(System.getProperty("skep.home", "../..")).toAbsolutePath().normalize();
  private static final Path DEPLOY = HOME.resolve("deploy");
  private static final Map<String, String> VARIABLES = Map.of("SKEP_ADVERTISE_ADDR", "10.0.0.1");
  private static final Set<String> CONTROL = Set.of("control-api", "orchestrator", "allocator", "scheduler", "dispatcher", "relay");
  private static final Set<String> NODE = Set.of("agent", "ingress-lb", "dns-discovery");

  /** What the image sets for all. */
  private static final Map<String, String> IMAGE = Map.of("SKEP_METRICS_PORT", "9464", "SKEP_METRICS_ADDRESS", "0.0.0.0");

  @TempDir
  private Path certificates;

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
        if (settings.text("out").isPresent()) {
          settings.list("servers");
          ProcessSettings.plain(settings);
        } else {
          ProcessSettings.withStore(settings);
          settings.required("advertise-addr", "an address");
          settings.text("admin-log");
          settings.flag("users", true);
        }
      }
      default -> throw new IllegalArgumentException("there is no service " + kind);
    }
    settings.refuseUnknown();
  }

  @ParameterizedTest
  @ValueSource(strings = {"compose.yaml", "compose.small.yaml"})
  void everyServiceAcceptsWhatTheComposeFileSays(String file) throws IOException {
    Files.writeString(certificates.resolve("root.password"), "secret"); // is read with the settings
    Compose compose = Compose.read(DEPLOY.resolve(file), VARIABLES);
    Set<String> kinds = new TreeSet<>();
    for (Compose.Service service : compose.services().values()) {
      if (!service.image().startsWith("skep/")) {
        continue;
      }
      kinds.add(kind(service));
      Map<String, String> environment = new java.util.TreeMap<>(IMAGE);
      environment.putAll(service.environment());
      List<String> flags = service.list("command").stream().filter(word -> word.startsWith("--"))
          .map(word -> word.replace("=/tls/", "=" + certificates + "/")).toList();
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
    for (Compose compose : List.of(small, large)) {
      compose.services().values().stream().filter(service -> service.name().startsWith("kafka")).forEach(
          broker -> assertThat(broker.environment()).as("what its storage is formatted for").containsKey("CLUSTER_ID"));
    }
    for (String service : CONTROL) {
      assertThat(large.services()).as("replicated").containsKeys(service + "1", service + "2");
    }
    assertThatThrownBy(() -> Compose.read(DEPLOY.resolve("compose.yaml"), Map.of())).hasMessageStartingWith("SKEP_ADVERTISE_ADDR is missing");
  }

  /** At the ports by which the services know them, since other hosts are told the same addresses. */
  @Test
  void whatOtherManagersNeedIsOpenedWhereTheyLookForIt() {
    Compose small = Compose.read(DEPLOY.resolve("compose.small.yaml"), VARIABLES);
    List<String> told = small.services().get("init").list("command");
    Compose opened = Compose.read(DEPLOY.resolve("compose.managers.yaml"), VARIABLES);
    assertThat(opened.services()).hasSize(2);
    opened.services().values().forEach(service -> {
      List<String> ports = service.list("ports");
      assertThat(ports).as(service.name()).hasSize(1);
      String port = ports.getFirst().substring(0, ports.getFirst().indexOf(':'));
      assertThat(ports).containsExactly(port + ":" + port);
      assertThat(told).anyMatch(word -> word.matches("--(store|log)=.*://" + service.name() + ":" + port));
    });
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
        String listens = service.environment().get("ETCD_LISTEN_METRICS_URLS");
        expected.add("\"" + listens.replaceFirst("http://0.0.0.0", service.name()) + "\"");
      }
    }
    assertThat(asked).contains(expected);
    Matcher names = Pattern.compile("\"([a-z0-9-]+):\\d+\"").matcher(asked);
    while (names.find()) {
      assertThat(names.group(1)).satisfiesAnyOf(
          name -> assertThat(compose.services()).containsKey(name), name -> assertThat(name).isEqualTo("host.skep"));
    }
  }

  private static List<Dashboard> dashboards() throws IOException {
    try (Stream<Path> files = Files.list(DEPLOY.resolve("grafana/dashboards"))) {
      return files.map(Dashboard::read).toList();
    }
  }

  @Test
  void everyQueryOfADashboardUsesAMetricThatExists() throws IOException {
    Set<String> counted = metricsOfTheCode();
    assertThat(counted).hasSizeGreaterThan(30);
    for (Dashboard dashboard : dashboards()) {
      List<String> queries = dashboard.panels().stream().flatMap(panel -> panel.queries().stream()).toList();
      assertThat(queries).hasSizeGreaterThan(20);
      for (String query : queries) {
        Matcher metric = Pattern.compile("\\b(?:skep|process|jvm)_[a-z0-9_]+").matcher(query);
        while (metric.find()) {
          assertThat(known(metric.group(), counted)).as("%s in %s: %s", metric.group(), dashboard.file().getFileName(), query).isTrue();
        }
      }
    }
  }

  /** What Grafana would not say of a file that it provisions: it shows an empty or a jumbled page. */
  @Test
  void aDashboardIsWhole() throws IOException {
    for (Dashboard dashboard : dashboards()) {
      assertThat(dashboard.fields()).containsKeys("uid", "title", "schemaVersion", "time");
      List<Dashboard.Panel> panels = dashboard.panels();
      assertThat(panels.stream().map(panel -> panel.fields().get("id"))).as("ids").doesNotContainNull().doesNotHaveDuplicates();
      for (Dashboard.Panel panel : panels) {
        assertThat(panel.title()).as("a panel of %s", dashboard.file()).isNotBlank();
        assertThat(panel.type()).as(panel.title()).isIn("row", "stat", "timeseries");
        assertThat(panel.grid("x") + panel.grid("w")).as(panel.title()).isLessThanOrEqualTo(Dashboard.COLUMNS);
        assertThat(panels.stream().filter(other -> other != panel && other.overlaps(panel))).as("over %s", panel.title()).isEmpty();
        if (!panel.type().equals("row")) {
          assertThat(panel.fields().get("datasource")).as(panel.title()).isEqualTo(Map.of("type", "prometheus", "uid", "prometheus"));
          assertThat(panel.queries()).as(panel.title()).isNotEmpty().doesNotContainNull();
          assertThat(panel.targets().stream().map(target -> target.get("refId"))).as(panel.title()).doesNotContainNull().doesNotHaveDuplicates();
        }
      }
    }
  }

  /** Grafana finds what it is to provision where the compose files mount it. */
  @ParameterizedTest
  @ValueSource(strings = {"compose.yaml", "compose.small.yaml"})
  void whatGrafanaProvisionsIsMounted(String file) throws IOException {
    Compose.Service grafana = Compose.read(DEPLOY.resolve(file), VARIABLES).services().get("grafana");
    Map<?, ?> sources = yaml("provisioning/datasources/prometheus.yaml");
    Map<?, ?> source = (Map<?, ?>) ((List<?>) sources.get("datasources")).getFirst();
    assertThat(source.get("uid")).isEqualTo("prometheus");
    assertThat(source.get("url")).isEqualTo("http://prometheus:9090");
    Map<?, ?> provider = (Map<?, ?>) ((List<?>) yaml("provisioning/dashboards/skep.yaml").get("providers")).getFirst();
    String folder = (String) ((Map<?, ?>) provider.get("options")).get("path");
    assertThat(grafana.list("volumes")).contains("./grafana/provisioning:/etc/grafana/provisioning:ro", "./grafana/dashboards:" + folder + ":ro");
  }

  private static Map<?, ?> yaml(String file) throws IOException {
    return (Map<?, ?>) new Load(LoadSettings.builder().build()).loadFromString(Files.readString(DEPLOY.resolve("grafana").resolve(file)));
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

  /** What systemd itself says of the units, where it is installed. */
  @Test
  void systemdFindsNothingWrongWithTheUnits(@TempDir Path folder) throws IOException, InterruptedException {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/systemd-analyze")), "systemd is not installed");
    List<String> words = new ArrayList<>(List.of("systemd-analyze", "verify", "--man=no", "--recursive-errors=no"));
    for (String name : List.of("skepd.service", "skep-edge.service")) {
      String unit = Files.readString(DEPLOY.resolve("systemd").resolve(name));
      // what is not installed here is no mistake of the unit's
      words.add(Files.writeString(folder.resolve(name), unit.replace("/opt/skep/skep ", "/bin/true ")).toString());
    }
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    assertThat(said.lines().filter(line -> line.contains("/skep") || line.contains("skepd.service:") || line.contains("skep-edge.service:"))).isEmpty();
  }

  /** Becoming a manager is ending with 75, and coming back at once; wrong settings are not tried again; nothing else is given up. */
  @Test
  void theDaemonsAreStartedAgainByTheirExitCode() throws IOException {
    String skepd = Files.readString(DEPLOY.resolve("systemd/skepd.service"));
    String edge = Files.readString(DEPLOY.resolve("systemd/skep-edge.service"));
    assertThat(skepd).contains("\nRestartForceExitStatus=" + BasicHost.AGAIN + "\n", "\nRestartSec=200ms\n");
    assertThat(List.of(skepd, edge)).allSatisfy(
        unit -> assertThat(unit)
            .contains("\nRestart=always\n", "\nRestartPreventExitStatus=" + Launch.MISCONFIGURED + "\n", "\nStartLimitIntervalSec=0\n"));
  }
}
