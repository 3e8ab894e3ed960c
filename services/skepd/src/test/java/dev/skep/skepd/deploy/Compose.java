package dev.skep.skepd.deploy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** A compose file of ours: the part of the format that it uses, and nothing else is accepted. */
public record Compose(Path file, Map<String, Service> services, Set<String> volumes, String subnet, String gateway) {
  private static final Set<String> KEYS = Set.of(
      "image", "command", "environment", "volumes", "networks", "network_mode", "pid", "cap_add", "cap_drop", "security_opt",
      "ports", "extra_hosts", "depends_on", "restart", "stop_grace_period", "read_only", "tmpfs", "mem_limit", "pids_limit", "healthcheck",
      "user", "group_add");
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{([A-Z_]+)(:-([^}]*)|:\\?([^}]*))?}");

  /** One service; the words of the compose format. */
  public record Service(String name, Map<String, Object> fields) {
    public String image() {
      return (String) fields.get("image");
    }

    public Map<String, String> environment() {
      Map<String, String> variables = new TreeMap<>();
      ((Map<?, ?>) fields.getOrDefault("environment", Map.of())).forEach((name, value) -> variables.put((String) name, String.valueOf(value)));
      return variables;
    }

    public List<String> list(String key) {
      return ((List<?>) fields.getOrDefault(key, List.of())).stream().map(String::valueOf).toList();
    }

    public String text(String key) {
      return String.valueOf(fields.getOrDefault(key, ""));
    }
  }

  /** Reads a file with these variables in place of the environment's. */
  public static Compose read(Path file, Map<String, String> variables) {
    Object read = new Load(LoadSettings.builder().build()).loadFromString(text(file));
    Map<?, ?> root = (Map<?, ?>) substituted(read, variables);
    Map<String, Service> services = new LinkedHashMap<>();
    ((Map<?, ?>) root.get("services")).forEach((name, fields) -> {
      Map<String, Object> merged = new LinkedHashMap<>();
      ((Map<?, ?>) fields).forEach((key, value) -> merged.put((String) key, value));
      if (!KEYS.containsAll(merged.keySet())) {
        throw new IllegalArgumentException(file + ": service " + name + " has a key that is not known here: " + merged.keySet());
      }
      services.put((String) name, new Service((String) name, merged));
    });
    Set<String> volumes = Set.copyOf(part(root, "volumes").keySet().stream().map(String::valueOf).toList());
    List<?> pools = (List<?>) part(part(part(root, "networks"), "control"), "ipam").get("config");
    Map<?, ?> pool = pools == null ? Map.of() : (Map<?, ?>) pools.getFirst();
    return new Compose(file, services, volumes, Objects.toString(pool.get("subnet"), ""), Objects.toString(pool.get("gateway"), ""));
  }

  /** Empty where it is not there: a file that only adds to another one has no network of its own. */
  private static Map<?, ?> part(Map<?, ?> whole, String name) {
    Map<?, ?> part = (Map<?, ?>) whole.get(name);
    return part == null ? Map.of() : part;
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Variables are filled in, and merge keys ({@code <<}) carried out: what stands in the map itself wins. */
  private static Object substituted(Object value, Map<String, String> variables) {
    return switch (value) {
      case null -> "";
      case Map<?, ?> map -> {
        Map<String, Object> merged = new LinkedHashMap<>();
        if (map.get("<<") != null) {
          ((Map<?, ?>) substituted(map.get("<<"), variables)).forEach((key, inner) -> merged.put((String) key, inner));
        }
        map.forEach((key, inner) -> {
          if (!key.equals("<<")) {
            merged.put(String.valueOf(key), substituted(inner, variables));
          }
        });
        yield merged;
      }
      case List<?> list -> {
        List<Object> all = new ArrayList<>();
        list.forEach(one -> all.add(substituted(one, variables)));
        yield all;
      }
      case String text -> filled(text, variables);
      default -> value;
    };
  }

  private static String filled(String text, Map<String, String> variables) {
    Matcher matcher = VARIABLE.matcher(text);
    StringBuilder filled = new StringBuilder();
    while (matcher.find()) {
      String given = variables.get(matcher.group(1));
      if (given == null && matcher.group(4) != null) {
        throw new IllegalArgumentException(matcher.group(1) + " is missing: " + matcher.group(4));
      }
      String value = given != null ? given : matcher.group(3) == null ? "" : matcher.group(3);
      matcher.appendReplacement(filled, Matcher.quoteReplacement(value));
    }
    matcher.appendTail(filled);
    return filled.toString();
  }
}
