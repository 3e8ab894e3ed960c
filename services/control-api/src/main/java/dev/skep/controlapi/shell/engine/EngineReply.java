package dev.skep.controlapi.shell.engine;

import java.util.Map;
import java.util.TreeMap;

/** What the engine answered. Header names are looked up ignoring case. */
public record EngineReply(int status, Map<String, String> headers, byte[] body) {
  public EngineReply {
    Map<String, String> folded = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    folded.putAll(headers);
    headers = folded;
  }

  public boolean ok() {
    return status / 100 == 2;
  }

  public String header(String name) {
    return headers.getOrDefault(name, "");
  }
}
