package dev.skep.controlapi.shell;

import dev.skep.api.v1.IPAM;
import dev.skep.api.v1.IPAMPool;
import dev.skep.api.v1.Network;
import dev.skep.api.v1.NetworkReference;
import dev.skep.controlapi.shell.engine.Engine;
import dev.skep.controlapi.shell.engine.EngineJson;
import dev.skep.controlapi.shell.engine.EngineReply;
import dev.skep.state.Times;
import dev.skep.state.view.NetworkView;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The overlays that stand on a worker, as its engine has them: a worker has no rows that would know more. */
final class WorkerNetworks {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final String OURS = "?filters=" + NetworkRoutes.encoded("{\"label\":{\"" + Backing.OWNER_LABEL + "\":true}}");

  private final Engine engine;

  WorkerNetworks(Engine engine) {
    this.engine = engine;
  }

  /** Those of this cluster. */
  List<Network> all(String clusterId, String version) throws IOException {
    EngineReply reply = engine.get(version + "/networks" + OURS, LIMIT);
    List<Network> found = new ArrayList<>();
    if (!reply.ok()) {
      return found;
    }
    for (Object network : EngineJson.list(EngineJson.parse(reply.body()))) {
      Optional<String> id = Backing.overlayOf(network);
      if (id.isPresent() && clusterId.equals(label(network, Backing.OWNER_LABEL))) {
        found.add(overlay(id.get(), EngineJson.object(network)));
      }
    }
    return found;
  }

  /** By id, by name, by what the engine calls it, or by the beginning of its id. */
  Optional<Network> find(String clusterId, String reference, String version) throws IOException {
    List<Network> all = all(clusterId, version);
    for (Network network : all) {
      if (reference.equals(network.getId()) || reference.equals(network.getName()) || Backing.engineName(network.getId()).equals(reference)) {
        return Optional.of(network);
      }
    }
    List<Network> prefixed = all.stream().filter(network -> !reference.isEmpty() && network.getId().startsWith(reference)).toList();
    return prefixed.size() == 1 ? Optional.of(prefixed.getFirst()) : Optional.empty();
  }

  private static Network overlay(String id, Map<String, Object> network) {
    Map<String, Object> pool =
        EngineJson.list(EngineJson.object(network.get("IPAM")).get("Config")).stream().findFirst().map(EngineJson::object).orElse(Map.of());
    String name = label(network, "skep.network.name");
    Network.Builder overlay =
        Network.newBuilder()
            .setName(name.isEmpty() ? id : name)
            .setId(id)
            .setScope("swarm")
            .setDriver("overlay")
            .setIpam(
                IPAM.newBuilder()
                    .setDriver("default")
                    .addConfig(
                        IPAMPool.newBuilder().setSubnet(EngineJson.text(pool.get("Subnet"))).setGateway(EngineJson.text(pool.get("Gateway")))))
            .setInternal(Boolean.TRUE.equals(network.get("Internal")))
            .setIngress(label(network, "skep.network.ingress").equals("true"))
            .setConfigFrom(NetworkReference.getDefaultInstance())
            .putOptions(NetworkView.VNI_OPTION, label(network, "skep.vni"));
    created(network).ifPresent(instant -> overlay.setCreated(Times.of(instant)));
    return overlay.build();
  }

  private static Optional<Instant> created(Map<String, Object> network) {
    try {
      return Optional.of(OffsetDateTime.parse(EngineJson.text(network.get("Created"))).toInstant());
    } catch (DateTimeParseException _) { // an engine that writes its times otherwise: shown without one
      return Optional.empty();
    }
  }

  private static String label(Object network, String key) {
    return EngineJson.text(EngineJson.object(EngineJson.object(network).get("Labels")).get(key));
  }
}
