package dev.skep.runtime.config;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The settings of a process. A key is {@code <component>.<name>} ({@code agent.grace}), or a bare name for the process
 * itself ({@code data}). It is given as a line of the properties file, as the variable {@code SKEP_AGENT_GRACE}, or as
 * the flag {@code --agent.grace=3s}; of several the flag wins, then the variable. Each service's configuration record has
 * a static {@code from(Settings)} that reads its own scope; when all have read, {@link #refuseUnknown} finds what
 * nobody wanted.
 */
public final class Settings {
  private static final String VARIABLE = "SKEP_";
  private static final String LOG_LEVEL = "SKEP_LOG_LEVEL"; // read by logging itself, before there are settings
  private static final Pattern DURATION = Pattern.compile("(\\d+)(ms|s|m|h)");

  private record Given(String value, String where) {}

  private record Read(String value, boolean secret, boolean given) {}

  /** What all scopes of a process share. */
  private record Shared(Map<String, Given> byKey, Map<String, Given> byVariable, Map<String, Read> read) {}

  private final Shared shared;
  private final String scope;

  private Settings(Shared shared, String scope) {
    this.shared = shared;
    this.scope = scope;
  }

  /** @param flags {@code --key=value}; a bare {@code --key} means true */
  public static Settings load(Optional<Path> file, Map<String, String> environment, List<String> flags) {
    Map<String, Given> byKey = new TreeMap<>();
    Map<String, Given> byVariable = new TreeMap<>();
    file.ifPresent(path -> properties(path).forEach((key, value) ->
        byKey.put(key.toString(), new Given(value.toString().strip(), key + " in " + path))));
    environment.forEach((variable, value) -> {
      if (variable.startsWith(VARIABLE) && !variable.equals(LOG_LEVEL)) {
        byVariable.put(variable, new Given(value, variable));
      }
    });
    for (String flag : flags) {
      if (!flag.startsWith("--") || flag.length() == 2) {
        throw new SettingsException("'" + flag + "' is no setting: write --key=value");
      }
      int equals = flag.indexOf('=');
      String key = equals < 0 ? flag.substring(2) : flag.substring(2, equals);
      byKey.put(key, new Given(equals < 0 ? "true" : flag.substring(equals + 1), "--" + key));
      byVariable.remove(variable(key)); // the flag wins
    }
    return new Settings(new Shared(byKey, byVariable, new TreeMap<>()), "");
  }

  /** Nothing given: defaults only. */
  public static Settings none() {
    return load(Optional.empty(), Map.of(), List.of());
  }

  private static Properties properties(Path file) {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    } catch (IOException | IllegalArgumentException e) {
      throw new SettingsException("cannot read the settings in " + file + ": " + e.getMessage(), e);
    }
    return properties;
  }

  /** What is given nowhere is taken from here. */
  public Settings beneath(Map<String, String> values, String where) {
    values.forEach((key, value) -> shared.byKey.putIfAbsent(key, new Given(value, key + " in " + where)));
    return this;
  }

  /** Takes a setting out, wherever it was given: something else is in force in its place. */
  public void forget(String key) {
    shared.byKey.remove(key);
    shared.byVariable.remove(variable(key));
  }

  /** The settings of one component. */
  public Settings of(String component) {
    return new Settings(shared, component + ".");
  }

  public Optional<String> text(String name) {
    return find(name, "", false).map(Given::value);
  }

  public String text(String name, String otherwise) {
    return find(name, otherwise, false).map(Given::value).orElse(otherwise);
  }

  /** @param what it is, for whoever did not give it */
  public String required(String name, String what) {
    return text(name).orElseThrow(() -> new SettingsException("--" + scope + name + " is missing: " + what));
  }

  /** Values with commas between them; empty when it is not given. */
  public List<String> list(String name) {
    Optional<Given> given = find(name, "", false);
    List<String> values = Arrays.stream(given.map(Given::value).orElse("").split(",")).map(String::strip).filter(one -> !one.isEmpty()).toList();
    if (given.isPresent() && values.isEmpty()) {
      throw new SettingsException(given.get().where + " names nothing");
    }
    return values;
  }

  /** Not shown by {@link #effective}. */
  public Optional<String> secret(String name) {
    return find(name, "", true).map(Given::value);
  }

  public Path path(String name, Path otherwise) {
    return parsed(name, otherwise.toString(), "a path", Path::of);
  }

  public long number(String name, long otherwise) {
    return parsed(name, Long.toString(otherwise), "a whole number", Long::parseLong);
  }

  public int port(String name, int otherwise) {
    return parsed(name, Integer.toString(otherwise), "a port (0 to 65535)", text -> {
      int port = Integer.parseInt(text);
      if (port < 0 || port > 65535) {
        throw new IllegalArgumentException(text);
      }
      return port;
    });
  }

  public boolean flag(String name, boolean otherwise) {
    return parsed(name, Boolean.toString(otherwise), "true or false", text -> switch (text) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new IllegalArgumentException(text);
    });
  }

  public Duration duration(String name, Duration otherwise) {
    return parsed(name, otherwise.toMillis() + "ms", "a duration (250ms, 3s, 10m, 1h)", Settings::duration);
  }

  private static Duration duration(String text) {
    Matcher matcher = DURATION.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(text);
    }
    long amount = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "ms" -> Duration.ofMillis(amount);
      case "s" -> Duration.ofSeconds(amount);
      case "m" -> Duration.ofMinutes(amount);
      default -> Duration.ofHours(amount);
    };
  }

  private <T> T parsed(String name, String otherwise, String form, Function<String, T> parse) {
    Optional<Given> given = find(name, otherwise, false);
    try {
      return parse.apply(given.map(Given::value).orElse(otherwise));
    } catch (IllegalArgumentException e) {
      String where = given.map(Given::where).orElse(scope + name);
      throw new SettingsException(where + ": '" + given.map(Given::value).orElse(otherwise) + "' is not " + form, e);
    }
  }

  private Optional<Given> find(String name, String otherwise, boolean secret) {
    String key = scope + name;
    Given given = shared.byVariable.get(variable(key));
    if (given == null) {
      given = shared.byKey.get(key);
    }
    shared.read.put(key, new Read(given == null ? otherwise : given.value, secret, given != null));
    return Optional.ofNullable(given);
  }

  private static String variable(String key) {
    return VARIABLE + key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }

  /** To be called when everybody has read: refuses what nobody asked for. */
  public void refuseUnknown() {
    Set<String> variables = new LinkedHashSet<>();
    shared.read.keySet().forEach(key -> variables.add(variable(key)));
    shared.byKey.forEach((key, given) -> {
      if (!shared.read.containsKey(key)) {
        throw unknown(given, key, shared.read.keySet());
      }
    });
    shared.byVariable.forEach((name, given) -> {
      if (!variables.contains(name)) {
        throw unknown(given, name, variables);
      }
    });
  }

  private static SettingsException unknown(Given given, String key, Set<String> known) {
    String nearest = known.stream().min((a, b) -> distance(key, a) - distance(key, b)).orElse("");
    return new SettingsException(given.where + " is not a setting" + (nearest.isEmpty() ? "" : "; did you mean " + nearest + "?"));
  }

  /** How many characters must be added, removed or replaced to make one text of the other. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }

  /** One line per setting that was read, in key order; secrets are masked, what is not given is marked as default. */
  public String effective() {
    StringBuilder text = new StringBuilder();
    shared.read.forEach((key, read) -> {
      String shown = read.secret && read.given ? "********" : read.value;
      text.append(key).append(" = ").append(shown).append(read.given ? "" : "  (default)").append('\n');
    });
    return text.toString();
  }
}
