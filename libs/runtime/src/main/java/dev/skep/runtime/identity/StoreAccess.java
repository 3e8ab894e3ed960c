package dev.skep.runtime.identity;

import dev.skep.backend.Access;
import dev.skep.backend.Backends;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.config.SettingsException;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where the cluster's state and its log are, and what gets a process in: settings of processes as they stand in {@code
 * <identity>/store.properties} (mode 0600). Their certificates and keys are files beside it, named by setting.
 *
 * @param settings {@code store}, {@code log}, and whatever begins with {@code store.} or {@code log.}
 * @param pems the text of certificates and keys, by setting
 */
public record StoreAccess(SortedMap<String, String> settings, SortedMap<String, String> pems) {
  private static final String FILE = "store.properties";
  private static final String STORE = "store";
  private static final String LOG = "log";
  private static final String EMBEDDED = "embedded:";
  private static final String PEM = ".pem";
  private static final String PASSWORD = "password";
  private static final List<String> NAME = List.of("user", PASSWORD, "password-file");
  private static final List<String> CERTIFICATE = List.of("certificate", "key");
  /** How the names of users begin that clusters make for their hosts. */
  public static final String OWN_USERS = "skep.";

  private static final Pattern NAMES_A_FILE = Pattern.compile("(store|log)\\.(password-file|ca|certificate|key)");

  public StoreAccess {
    settings = Collections.unmodifiableSortedMap(new TreeMap<>(settings));
    pems = Collections.unmodifiableSortedMap(new TreeMap<>(pems));
    settings.keySet().forEach(StoreAccess::check);
    pems.keySet().forEach(StoreAccess::check);
    if (!settings.containsKey(STORE)) {
      throw new IllegalArgumentException("nothing says where the store is");
    }
  }

  /** Names become file names, and come from other machines. */
  private static void check(String setting) {
    if (!setting.matches("(store|log)(\\.[a-z-]+)?")) {
      throw new IllegalArgumentException("'" + setting + "' is no setting of a store or a log");
    }
  }

  /**
   * As the process is told: {@code store}, {@code log}, and of both {@code user}, {@code password} or {@code password-file},
   * {@code ca}, {@code certificate}, {@code key}. What files hold is read: other hosts do not have them.
   *
   * @param otherwise the store when none is given
   */
  public static StoreAccess from(Settings told, String otherwise) {
    SortedMap<String, String> settings = new TreeMap<>();
    SortedMap<String, String> pems = new TreeMap<>();
    settings.put(STORE, told.text(STORE, otherwise));
    told.text(LOG).ifPresent(uri -> settings.put(LOG, uri));
    for (String scope : List.of(STORE, LOG)) {
      Settings own = told.of(scope);
      own.text("user").ifPresent(user -> settings.put(scope + ".user", user));
      own.secret("password").ifPresent(password -> settings.put(scope + ".password", password));
      own.text("password-file").ifPresent(file -> settings.put(scope + ".password", text(file).lines().findFirst().orElse("")));
      for (String pem : List.of("ca", "certificate", "key")) {
        own.text(pem).ifPresent(file -> pems.put(scope + "." + pem, text(file)));
      }
    }
    return new StoreAccess(settings, pems);
  }

  private static String text(String file) {
    try {
      return Files.readString(Path.of(file));
    } catch (IOException e) {
      throw new SettingsException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /** A store and a log that ask nobody who they are. */
  public static StoreAccess of(String store, String log) {
    SortedMap<String, String> settings = new TreeMap<>(Map.of(STORE, store));
    if (!log.isEmpty()) {
      settings.put(LOG, log);
    }
    return new StoreAccess(settings, new TreeMap<>());
  }

  /** The same with the store elsewhere. */
  public StoreAccess at(String store) {
    SortedMap<String, String> moved = new TreeMap<>(settings);
    moved.put(STORE, store);
    return new StoreAccess(moved, pems);
  }

  /** Addresses, and the roots that servers prove themselves with: what everybody may be told. */
  public StoreAccess withoutCredentials() {
    SortedMap<String, String> addresses = new TreeMap<>(settings);
    addresses.keySet().removeIf(name -> name.contains("."));
    SortedMap<String, String> roots = new TreeMap<>(pems);
    roots.keySet().removeIf(name -> !name.endsWith(".ca"));
    return new StoreAccess(addresses, roots);
  }

  /**
   * The same as this user.
   *
   * @param toLog also in the log; else it knows nobody
   * @param opensSealed it may read everything in the store; else what is sealed is left out
   */
  public StoreAccess as(String user, String password, boolean toLog, boolean opensSealed) {
    SortedMap<String, String> more = new TreeMap<>(settings);
    for (String scope : toLog ? List.of(STORE, LOG) : List.of(STORE)) {
      more.put(scope + ".user", user);
      more.put(scope + ".password", password);
    }
    if (!opensSealed) {
      more.put(STORE, Backends.withoutSealed(store()));
    }
    return new StoreAccess(more, pems);
  }

  /** The same with a certificate that a server may ask for. */
  public StoreAccess withCertificate(String scope, String certificatePem, String keyPem) {
    SortedMap<String, String> more = new TreeMap<>(pems);
    more.put(scope + ".certificate", certificatePem);
    more.put(scope + ".key", keyPem);
    return new StoreAccess(settings, more);
  }

  /** Who goes there by name; empty when nobody is asked. */
  public Optional<String> user(String scope) {
    return Optional.ofNullable(settings.get(scope + ".user"));
  }

  /**
   * How its user goes to the store or the log from this process.
   *
   * @param scope {@code store} or {@code log}
   * @param folder for the files of certificates
   */
  public Access access(String scope, Path folder) {
    return accessAs(scope, settings.get(scope + ".user"), settings.get(scope + ".password"), folder);
  }

  /** The same as somebody else. */
  public Access accessAs(String scope, String user, String password, Path folder) {
    Optional<Path> root = file(scope + ".ca", folder);
    return new Access(Optional.of(new Access.Credentials(user, password)),
        root.map(ca -> new Access.TlsFiles(ca, file(scope + ".certificate", folder), file(scope + ".key", folder))));
  }

  private Optional<Path> file(String setting, Path folder) {
    return Optional.ofNullable(pems.get(setting)).map(text -> {
      try {
        Path file = folder.resolve(setting + PEM);
        PrivateFile.replace(file, text.getBytes(StandardCharsets.UTF_8));
        return file;
      } catch (IOException e) {
        throw new UncheckedIOException("cannot write down what proves us and whom to trust", e);
      }
    });
  }

  /** Whether this is of a user that its cluster made for this host. */
  public boolean issued() {
    return user(STORE).filter(name -> name.startsWith(OWN_USERS)).isPresent();
  }

  public String store() {
    return settings.get(STORE);
  }

  /** Empty with an embedded store. */
  public String log() {
    return settings.getOrDefault(LOG, "");
  }

  /** Whether several managers can use it. */
  public boolean shared() {
    return !store().startsWith(EMBEDDED);
  }

  /** Where this is for one service of a host: in a folder of its name, where it has users of its own. */
  public static Path folder(Path identityFolder, String service) {
    Path own = identityFolder.resolve(service);
    return !service.isEmpty() && Files.exists(own.resolve(FILE)) ? own : identityFolder;
  }

  /** The store as a process is told it, without what is hidden from the user whom this folder names. */
  public static String hiding(String store, Path identityFolder) {
    return settingsIn(identityFolder).getOrDefault(STORE, "").contains("sealed=hidden") ? Backends.withoutSealed(store) : store;
  }

  /** What the identity folder says; empty when the host uses what it is configured with. */
  public static Optional<StoreAccess> read(Path identityFolder) {
    Map<String, String> there = settingsIn(identityFolder);
    return there.isEmpty() ? Optional.empty() : Optional.of(from(Settings.none().beneath(there, identityFolder.toString()), there.getOrDefault(STORE, "")));
  }

  /**
   * Adds what the identity folder says to what a process is told, which wins: of where store and log are and whom to trust
   * there each alone, of what gets in all that belongs together.
   */
  public static Settings complete(Settings told, Path identityFolder) {
    Map<String, String> there = settingsIn(identityFolder);
    for (String scope : List.of(STORE, LOG)) {
      if (gives(told.of(scope), NAME) || gives(told.of(scope), CERTIFICATE)) {
        Stream.concat(NAME.stream(), CERTIFICATE.stream()).forEach(name -> there.remove(scope + "." + name));
      }
    }
    return told.beneath(there, identityFolder.toString());
  }

  /**
   * The same for a process that goes as its host's own user as soon as there is one: whomever it is told may make such users,
   * and nothing more is done as him.
   */
  public static Settings completeAsHost(Settings told, Path identityFolder) {
    Map<String, String> there = settingsIn(identityFolder);
    for (String scope : List.of(STORE, LOG)) {
      if (there.getOrDefault(scope + ".user", "").startsWith(OWN_USERS)) {
        NAME.forEach(name -> told.forget(scope + "." + name));
      } else if (gives(told.of(scope), NAME)) {
        NAME.forEach(name -> there.remove(scope + "." + name));
      }
      if (there.containsKey(scope + ".certificate")) {
        CERTIFICATE.forEach(name -> told.forget(scope + "." + name));
      }
    }
    return told.beneath(there, identityFolder.toString());
  }

  private static boolean gives(Settings scope, List<String> names) {
    return names.stream().map(name -> name.equals(PASSWORD) ? scope.secret(name) : scope.text(name)).toList().stream().anyMatch(Optional::isPresent);
  }

  /** The same as settings of a process: names of files are made absolute. Empty when there is none. */
  private static SortedMap<String, String> settingsIn(Path identityFolder) {
    Path file = identityFolder.resolve(FILE);
    SortedMap<String, String> settings = new TreeMap<>();
    if (Files.exists(file)) {
      Properties fields = new Properties();
      try {
        fields.load(new StringReader(new String(PrivateFile.read(file), StandardCharsets.UTF_8)));
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read where the store is", e);
      }
      for (String name : fields.stringPropertyNames()) {
        String value = fields.getProperty(name);
        settings.put(name, NAMES_A_FILE.matcher(name).matches() ? identityFolder.resolve(value).toString() : value);
      }
    }
    return settings;
  }

  public void write(Path identityFolder) {
    Properties fields = new Properties();
    fields.putAll(settings);
    StringWriter text = new StringWriter();
    try {
      for (Map.Entry<String, String> pem : pems.entrySet()) {
        PrivateFile.replace(identityFolder.resolve(pem.getKey() + PEM), pem.getValue().getBytes(StandardCharsets.UTF_8));
        fields.setProperty(pem.getKey(), pem.getKey() + PEM);
      }
      fields.store(text, null);
      PrivateFile.replace(identityFolder.resolve(FILE), text.toString().getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write where the store is", e);
    }
  }

  public static void erase(Path identityFolder) {
    try {
      Set<String> names = settingsIn(identityFolder).keySet();
      Files.deleteIfExists(identityFolder.resolve(FILE));
      for (String name : names) {
        Files.deleteIfExists(identityFolder.resolve(name + PEM));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot forget where the store is", e);
    }
  }

  /** Without credentials: this gets printed. */
  @Override
  public String toString() {
    return log().isEmpty() ? store() : store() + " and " + log();
  }
}
