package dev.skep.controlapi.shell.http;

import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** One request as a handler sees it. The body is read when it is asked for. */
public final class Request {
  /** Reads the body, within the limits. */
  interface BodySource {
    byte[] read() throws IOException, MalformedRequest, InterruptedException;
  }

  private final Head head;
  private final boolean local;
  private final BodySource source;
  private final String path;
  private final String rawQuery;
  private byte[] body;

  Request(Head head, boolean local, BodySource source) {
    this.head = head;
    this.local = local;
    this.source = source;
    int question = head.target().indexOf('?');
    this.path = question < 0 ? head.target() : head.target().substring(0, question);
    this.rawQuery = question < 0 ? "" : head.target().substring(question + 1);
  }

  public Head head() {
    return head;
  }

  public String method() {
    return head.method();
  }

  /** The path as sent, with its version. */
  public String path() {
    return path;
  }

  public String rawQuery() {
    return rawQuery;
  }

  /** It came over the unix socket: who may open that may do anything with the engine. */
  public boolean local() {
    return local;
  }

  public byte[] body() throws IOException, MalformedRequest, InterruptedException {
    if (body == null) {
      body = source.read();
    }
    return body;
  }

  /** The first value of a query key, or "". */
  public String query(String key) throws MalformedRequest {
    List<String> values = queries().get(key);
    return values == null ? "" : values.getFirst();
  }

  public boolean hasQuery(String key) throws MalformedRequest {
    return queries().containsKey(key);
  }

  /** Docker's reading of a boolean: anything but nothing, 0, no, false and none is true. */
  public boolean flag(String key) throws MalformedRequest {
    return switch (query(key).strip().toLowerCase(Locale.ROOT)) {
      case "", "0", "no", "false", "none" -> false;
      default -> true;
    };
  }

  private Map<String, List<String>> queries() throws MalformedRequest {
    Map<String, List<String>> values = new LinkedHashMap<>();
    for (String pair : rawQuery.split("&")) {
      if (!pair.isEmpty()) {
        int equals = pair.indexOf('=');
        String key = equals < 0 ? pair : pair.substring(0, equals);
        values.computeIfAbsent(decoded(key), _ -> new ArrayList<>()).add(equals < 0 ? "" : decoded(pair.substring(equals + 1)));
      }
    }
    return values;
  }

  private static String decoded(String text) throws MalformedRequest {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException _) {
      throw new MalformedRequest(400, "malformed query");
    }
  }
}
