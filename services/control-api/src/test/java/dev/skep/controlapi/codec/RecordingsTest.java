package dev.skep.controlapi.codec;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Message;
import dev.skep.api.v1.Config;
import dev.skep.api.v1.ConfigSpec;
import dev.skep.api.v1.CreatedNetwork;
import dev.skep.api.v1.CreatedObject;
import dev.skep.api.v1.ErrorResponse;
import dev.skep.api.v1.InitRequest;
import dev.skep.api.v1.JoinRequest;
import dev.skep.api.v1.Network;
import dev.skep.api.v1.NetworkCreateRequest;
import dev.skep.api.v1.Node;
import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.Secret;
import dev.skep.api.v1.SecretSpec;
import dev.skep.api.v1.Service;
import dev.skep.api.v1.ServiceSpec;
import dev.skep.api.v1.ServiceUpdated;
import dev.skep.api.v1.Swarm;
import dev.skep.api.v1.SwarmInfo;
import dev.skep.api.v1.SwarmSpec;
import dev.skep.api.v1.Task;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Bodies recorded between the docker CLI 28.2.2 and a real engine 20.10.24: each is read into its message and printed
 * again. What the engine answered has to come back to the letter, key order included; of what the CLI sent only empty
 * values may be lost, since there the client's own rules decide what is sent empty.
 */
class RecordingsTest {
  /** Keys that requests carry and nobody reads: the first is gone since API 1.44, the second was made up for the recording. */
  private static final Set<String> IGNORED = Set.of("CheckDuplicate", "Foo");

  private static final Map<String, Message> MESSAGES =
      Map.ofEntries(
          Map.entry("Config", Config.getDefaultInstance()),
          Map.entry("ConfigSpec", ConfigSpec.getDefaultInstance()),
          Map.entry("CreatedNetwork", CreatedNetwork.getDefaultInstance()),
          Map.entry("CreatedObject", CreatedObject.getDefaultInstance()),
          Map.entry("ErrorResponse", ErrorResponse.getDefaultInstance()),
          Map.entry("InitRequest", InitRequest.getDefaultInstance()),
          Map.entry("JoinRequest", JoinRequest.getDefaultInstance()),
          Map.entry("Network", Network.getDefaultInstance()),
          Map.entry("NetworkCreateRequest", NetworkCreateRequest.getDefaultInstance()),
          Map.entry("Node", Node.getDefaultInstance()),
          Map.entry("NodeSpec", NodeSpec.getDefaultInstance()),
          Map.entry("Secret", Secret.getDefaultInstance()),
          Map.entry("SecretSpec", SecretSpec.getDefaultInstance()),
          Map.entry("Service", Service.getDefaultInstance()),
          Map.entry("ServiceSpec", ServiceSpec.getDefaultInstance()),
          Map.entry("ServiceUpdated", ServiceUpdated.getDefaultInstance()),
          Map.entry("Swarm", Swarm.getDefaultInstance()),
          Map.entry("SwarmInfo", SwarmInfo.getDefaultInstance()),
          Map.entry("SwarmSpec", SwarmSpec.getDefaultInstance()),
          Map.entry("Task", Task.getDefaultInstance()));

  record Recording(String message, String from, Object body) {
    @Override
    public String toString() {
      return message + " " + from;
    }
  }

  static Stream<Recording> responses() {
    return recordings("response");
  }

  static Stream<Recording> requests() {
    return recordings("request");
  }

  @ParameterizedTest
  @MethodSource("responses")
  void whatTheEngineAnsweredComesBackToTheLetter(Recording recording) {
    assertThat(printedAgain(recording)).isEqualTo(JsonTree.text(likeOurs(recording)));
  }

  /** The engine's lists of networks say null where its inspect says {}; ours says {} in both. */
  private static Object likeOurs(Recording recording) {
    if (!recording.message().equals("Network")) {
      return recording.body();
    }
    Map<Object, Object> network = new LinkedHashMap<>((Map<?, ?>) recording.body());
    for (String key : List.of("Containers", "Options", "Labels")) {
      network.replace(key, null, Map.of());
    }
    return network;
  }

  @ParameterizedTest
  @MethodSource("requests")
  void whatTheClientSentLosesOnlyEmptyValues(Recording recording) {
    Object again = JsonTree.parse(new String(DockerJson.write(read(recording)), StandardCharsets.UTF_8));
    Map<Object, Object> sent = new LinkedHashMap<>((Map<?, ?>) recording.body());
    sent.keySet().removeAll(IGNORED);
    assertThat(JsonTree.pruned(again)).isEqualTo(JsonTree.pruned(sent));
    assertThat(JsonTree.text(again)).isEqualTo(printedAgain(new Recording(recording.message(), recording.from(), again)));
  }

  private static String printedAgain(Recording recording) {
    byte[] printed = DockerJson.write(read(recording));
    assertThat(printed[printed.length - 1]).isEqualTo((byte) '\n');
    return JsonTree.text(JsonTree.parse(new String(printed, StandardCharsets.UTF_8)));
  }

  private static Message read(Recording recording) {
    return switch (
        DockerJson.read(
        JsonTree.json(recording.body()).getBytes(StandardCharsets.UTF_8), MESSAGES.get(recording.message()), recording.message())) {
      case Decoded.Ok<Message> ok -> ok.value();
      case Decoded.Refused<Message> refused -> throw new AssertionError(recording + ": " + refused.message());
    };
  }

  private static Stream<Recording> recordings(String side) {
    List<Recording> all = new ArrayList<>();
    for (String message : MESSAGES.keySet().stream().sorted().toList()) {
      try (InputStream in = RecordingsTest.class.getResourceAsStream("/recordings/" + message + "." + side + ".jsonl")) {
        if (in == null) {
          continue;
        }
        BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          Map<?, ?> recorded = (Map<?, ?>) JsonTree.parse(line);
          all.add(new Recording(message, (String) recorded.get("from"), recorded.get("body")));
        }
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }
    return all.stream();
  }
}
