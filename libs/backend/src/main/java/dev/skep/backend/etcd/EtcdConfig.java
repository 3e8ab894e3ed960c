package dev.skep.backend.etcd;

import dev.skep.backend.Access;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which etcd, and how long to wait for it.
 *
 * @param endpoints {@code host:port}; any of them is asked
 * @param prefix under which all keys are; empty, or with a slash at its end
 * @param timeout after so long every call ends, with a commit's fate unknown
 * @param silence a server that is silent for so long is asked whether it lives; silent once more, another one is asked
 * @param opensSealed this user may read what is sealed; else it is left out of what is read and watched
 */
public record EtcdConfig(List<String> endpoints, String prefix, Access access, Duration timeout, Duration silence, boolean opensSealed) {
  public static final Duration TIMEOUT = Duration.ofSeconds(5);
  public static final Duration SILENCE = Duration.ofSeconds(1);
  private static final String SCHEME = "etcd://";
  private static final int PORT = 2379;
  private static final Pattern ENDPOINT = Pattern.compile("(\\[[0-9a-fA-F:.]+]|[^\\[\\]:@/?#\\s]+)(?::(\\d{1,5}))?");
  private static final Pattern DURATION = Pattern.compile("([1-9]\\d{0,6})(ms|s)");

  public EtcdConfig {
    endpoints = List.copyOf(endpoints);
    if (endpoints.isEmpty()) {
      throw new IllegalArgumentException("etcd needs at least one endpoint");
    }
    prefix = prefix.isEmpty() || prefix.endsWith("/") ? prefix : prefix + "/";
  }

  public static EtcdConfig of(List<String> endpoints) {
    return new EtcdConfig(endpoints, "", Access.PLAIN, TIMEOUT, SILENCE, true);
  }

  public EtcdConfig with(Access how) {
    return new EtcdConfig(endpoints, prefix, how, timeout, silence, opensSealed);
  }

  public EtcdConfig with(Duration newTimeout, Duration newSilence) {
    return new EtcdConfig(endpoints, prefix, access, newTimeout, newSilence, opensSealed);
  }

  public static boolean names(String uri) {
    return uri.startsWith(SCHEME);
  }

  /** {@code etcd://h1:2379,h2,h3[/prefix][?timeout=5s&silence=1s&sealed=hidden]}. Throws {@link IllegalArgumentException} for anything else. */
  public static EtcdConfig of(String uri, Access access) {
    if (!names(uri)) {
      throw new IllegalArgumentException("'" + uri + "' is not of the form etcd://host:port,…");
    }
    String rest = uri.substring(SCHEME.length());
    if (rest.contains("@")) { // what is before it may be a password: it is not repeated
      throw new IllegalArgumentException("an etcd URI holds no credentials, it gets printed: give them as settings (store.user, store.password-file)");
    }
    int question = rest.indexOf('?');
    Map<String, String> options = question < 0 ? new HashMap<>() : options(uri, rest.substring(question + 1));
    rest = question < 0 ? rest : rest.substring(0, question);
    int slash = rest.indexOf('/');
    List<String> endpoints = endpoints(uri, slash < 0 ? rest : rest.substring(0, slash));
    Duration timeout = duration(uri, options.remove("timeout"), TIMEOUT);
    Duration silence = duration(uri, options.remove("silence"), SILENCE);
    boolean hidden = options.remove("sealed", "hidden");
    if (!options.isEmpty()) {
      throw new IllegalArgumentException(uri + ": there is no option " + options.keySet().iterator().next() + "; there are timeout, silence and sealed=hidden");
    }
    return new EtcdConfig(endpoints, slash < 0 ? "" : rest.substring(slash + 1), access, timeout, silence, !hidden);
  }

  private static List<String> endpoints(String uri, String hosts) {
    List<String> endpoints = new ArrayList<>();
    for (String host : hosts.split(",", -1)) {
      Matcher matcher = ENDPOINT.matcher(host);
      int port = !matcher.matches() ? -1 : matcher.group(2) == null ? PORT : Integer.parseInt(matcher.group(2));
      if (port < 1 || port > 65535) {
        throw new IllegalArgumentException(uri + ": '" + host + "' is not of the form host[:port]");
      }
      endpoints.add(matcher.group(1) + ":" + port);
    }
    return endpoints;
  }

  private static Map<String, String> options(String uri, String query) {
    Map<String, String> options = new HashMap<>();
    for (String option : query.split("&")) {
      int equals = option.indexOf('=');
      if (equals < 1) {
        throw new IllegalArgumentException(uri + ": '" + option + "' is not of the form name=value");
      }
      options.put(option.substring(0, equals), option.substring(equals + 1));
    }
    return options;
  }

  private static Duration duration(String uri, String text, Duration otherwise) {
    if (text == null) {
      return otherwise;
    }
    Matcher matcher = DURATION.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(uri + ": '" + text + "' is not a duration like 500ms or 3s");
    }
    long amount = Long.parseLong(matcher.group(1));
    return matcher.group(2).equals("ms") ? Duration.ofMillis(amount) : Duration.ofSeconds(amount);
  }
}
