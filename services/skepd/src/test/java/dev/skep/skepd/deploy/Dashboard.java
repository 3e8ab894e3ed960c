package dev.skep.skepd.deploy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** A dashboard as Grafana reads it from a file: its panels, in order. */
public record Dashboard(Path file, Map<String, Object> fields, List<Panel> panels) {
  /** Width of Grafana's grid. */
  static final int COLUMNS = 24;

  /** A panel, or the row that begins a group of them. */
  public record Panel(String title, String type, Map<String, Object> fields) {
    public List<String> queries() {
      return maps(fields.get("targets")).stream().map(target -> (String) target.get("expr")).toList();
    }

    List<Map<String, Object>> targets() {
      return maps(fields.get("targets"));
    }

    /** Where it lies: x, y, w or h. */
    int grid(String side) {
      return ((Number) map(fields.get("gridPos")).get(side)).intValue();
    }

    boolean overlaps(Panel other) {
      return grid("x") < other.grid("x") + other.grid("w") && other.grid("x") < grid("x") + grid("w")
          && grid("y") < other.grid("y") + other.grid("h") && other.grid("y") < grid("y") + grid("h");
    }
  }

  /** JSON is YAML. */
  public static Dashboard read(Path file) {
    try {
      Map<String, Object> fields = map(new Load(LoadSettings.builder().build()).loadFromString(Files.readString(file)));
      List<Panel> panels = new ArrayList<>();
      maps(fields.get("panels")).forEach(panel -> panels.add(new Panel((String) panel.get("title"), (String) panel.get("type"), panel)));
      return new Dashboard(file, fields, panels);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> map(Object value) {
    return value == null ? Map.of() : (Map<String, Object>) value;
  }

  @SuppressWarnings("unchecked")
  private static List<Map<String, Object>> maps(Object value) {
    return value == null ? List.of() : (List<Map<String, Object>>) value;
  }
}
