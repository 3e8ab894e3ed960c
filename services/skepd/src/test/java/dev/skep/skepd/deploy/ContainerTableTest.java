package dev.skep.skepd.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The table of docs/DEPLOYMENT.md, container by container, against the compose files: what it says they may do is what they may do. */
class ContainerTableTest {
  private static final Path HOME = Path.of(System.getProperty("skep.home", "../..")).toAbsolutePath().normalize();
  private static final List<String> COLUMNS =
      List.of("container", "runs as", "identity", "other mounts", "capabilities", "file system", "network", "ports of the host", "memory at most");

  private static final Map<String, Map<String, String>> table = new HashMap<>();
  private static final List<Compose> files = List.of(compose("compose.yaml"), compose("compose.small.yaml"));
  private static String rootInImage = "";

  private static Compose compose(String file) {
    return Compose.read(HOME.resolve("deploy").resolve(file), Map.of("SKEP_ADVERTISE_ADDR", "10.0.0.1"));
  }

  @BeforeAll
  static void readTable() throws IOException {
    List<String> rows = Files.readString(HOME.resolve("docs/DEPLOYMENT.md")).lines()
        .dropWhile(line -> !line.equals("## Container by container")).filter(line -> line.startsWith("|")).toList();
    assertThat(cells(rows.getFirst())).isEqualTo(COLUMNS);
    for (String row : rows.subList(2, rows.size())) {
      List<String> cells = cells(row);
      if (cells.size() != COLUMNS.size()) {
        break; // the next table
      }
      Map<String, String> fields = new HashMap<>();
      for (int i = 0; i < cells.size(); i++) {
        fields.put(COLUMNS.get(i), cells.get(i));
      }
      Arrays.stream(cells.getFirst().split(", ")).forEach(name -> table.put(name, fields));
    }
    Matcher users = Pattern.compile("(?m)^ +([a-z| -]+)\\) echo 0:0").matcher(Files.readString(HOME.resolve("deploy/images")));
    assertThat(users.find()).isTrue();
    rootInImage = users.group(1);
  }

  private static List<String> cells(String row) {
    return Arrays.stream(row.substring(1, row.lastIndexOf('|')).split("\\|", -1)).map(String::strip).toList();
  }

  /** What stands in the cell as code. */
  private static Set<String> codes(String cell) {
    return Pattern.compile("`([^`]+)`").matcher(cell).results().map(match -> match.group(1)).collect(Collectors.toCollection(TreeSet::new));
  }

  /** Its row: replicas share one. */
  private static String kind(Compose.Service service) {
    return service.name().replaceFirst("\\d+$", "");
  }

  private static Map<String, String> row(Compose.Service service) {
    assertThat(table).as("rows of the table").containsKey(kind(service));
    return table.get(kind(service));
  }

  private static List<Compose.Service> services() {
    return files.stream().flatMap(file -> file.services().values().stream()).toList();
  }

  @Test
  void everyContainerHasARowAndEveryRowAContainer() {
    Set<String> kinds = services().stream().map(ContainerTableTest::kind).collect(Collectors.toCollection(TreeSet::new));
    assertThat(new TreeSet<>(table.keySet())).isEqualTo(kinds);
  }

  @Test
  void mountsAreThoseOfTheTable() {
    for (Compose.Service service : services()) {
      Set<String> mounts = new TreeSet<>();
      String identity = "none";
      for (String volume : service.list("volumes")) {
        String inside = volume.substring(volume.indexOf(':') + 1);
        if (inside.startsWith("/identity")) {
          identity = inside.endsWith(":ro") ? "read-only" : "read-write";
        } else {
          mounts.add(inside.replaceFirst("^/tls/(etcd|kafka)\\d$", "/tls"));
        }
      }
      assertThat(row(service).get("identity")).as(service.name()).isEqualTo(identity);
      assertThat(codes(row(service).get("other mounts"))).as(service.name()).isEqualTo(mounts);
    }
  }

  /** A service alone sees its own user of the store, and nobody else's. */
  @Test
  void aServiceSeesItsOwnPasswordOnly() {
    for (Compose.Service service : services()) {
      List<String> own = service.list("volumes").stream().filter(volume -> volume.contains(":/identity/")).toList();
      if (!own.isEmpty() && !service.name().equals("init")) {
        assertThat(own).containsExactly("identity-" + kind(service) + ":/identity/" + kind(service) + ":ro");
      }
    }
  }

  @Test
  void privilegesAreThoseOfTheTable() {
    for (Compose.Service service : services()) {
      Map<String, String> row = row(service);
      assertThat(service.list("cap_drop")).as(service.name()).containsExactly("ALL");
      assertThat(service.list("security_opt")).as(service.name()).contains("no-new-privileges:true");
      assertThat(codes(row.get("capabilities"))).as(service.name()).isEqualTo(new TreeSet<>(service.list("cap_add")));
      assertThat(row.get("file system")).as(service.name()).isEqualTo(service.text("read_only").equals("true") ? "read-only" : "its image's");
      assertThat(row.get("network")).as(service.name()).isEqualTo(network(service));
      assertThat(row.get("runs as")).as(service.name()).isEqualTo(user(service));
      assertThat(row.get("memory at most")).as(service.name()).isEqualTo(service.text("mem_limit").replace("m", " MiB").replace("g", " GiB"));
    }
  }

  private static String network(Compose.Service service) {
    if (!service.text("network_mode").equals("host")) {
      return "its own";
    }
    return service.text("pid").equals("host") ? "the host's, and its processes" : "the host's";
  }

  private static String user(Compose.Service service) {
    if (!service.image().startsWith("skep/")) {
      return "its image's";
    }
    return Arrays.asList(rootInImage.strip().split(" \\| ")).contains(kind(service)) ? "root" : "65532";
  }

  @Test
  void portsAreThoseOfTheTable() {
    Map<String, Set<String>> ports = new HashMap<>();
    for (Compose.Service service : services()) {
      Set<String> own = ports.computeIfAbsent(kind(service), _ -> new TreeSet<>());
      service.list("ports").forEach(port -> own.add(port.substring(0, port.lastIndexOf(':'))));
    }
    ports.forEach((kind, own) -> assertThat(codes(table.get(kind).get("ports of the host"))).as(kind).isEqualTo(own));
  }
}
