package dev.skep.controlapi.shell;

import dev.skep.controlapi.shell.engine.EngineJson;
import java.util.Map;
import java.util.Optional;

/** The engine's networks that carry our overlays. Users see the overlay only. */
final class Backing {
  private static final String PREFIX = "skep-";

  /** On everything that an agent makes on an engine. */
  static final String OWNER_LABEL = "skep.cluster";

  private Backing() {}

  /** What the engine calls the network that carries this overlay. */
  static String engineName(String overlayId) {
    return PREFIX + overlayId;
  }

  /** The id of the overlay that this network of the engine carries; empty for anybody else's network. */
  static Optional<String> overlayOf(Object engineNetwork) {
    Map<String, Object> network = EngineJson.object(engineNetwork);
    String name = EngineJson.text(network.get("Name"));
    boolean ours = EngineJson.object(network.get("Labels")).containsKey(OWNER_LABEL) && name.startsWith(PREFIX);
    return ours ? Optional.of(name.substring(PREFIX.length())) : Optional.empty();
  }
}
