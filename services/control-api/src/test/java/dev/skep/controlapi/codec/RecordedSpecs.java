package dev.skep.controlapi.codec;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Recorded: the spec of a service as the docker CLI sent it, and as the engine answered it afterwards. */
public final class RecordedSpecs {
  /** @param networks names by id, of the networks that the stored spec names */
  public record RecordedSpec(String from, Map<String, String> networks, String sent, String stored) {
    @Override
    public String toString() {
      return from;
    }
  }

  private RecordedSpecs() {}

  public static Stream<RecordedSpec> all() {
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(RecordedSpecs.class.getResourceAsStream("/recordings/stored-specs.jsonl"), StandardCharsets.UTF_8))) {
      return reader.lines().map(RecordedSpecs::read).toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static RecordedSpec read(String line) {
    Map<?, ?> recorded = (Map<?, ?>) JsonTree.parse(line);
    Map<String, String> networks = new TreeMap<>();
    ((Map<?, ?>) recorded.get("networks")).forEach((id, name) -> networks.put((String) id, (String) name));
    return new RecordedSpec(
        (String) recorded.get("from"), networks, JsonTree.json(recorded.get("sent")), JsonTree.json(recorded.get("stored")));
  }
}
