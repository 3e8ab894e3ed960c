package dev.skep.controlapi.codec;

import com.google.protobuf.Message;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The public face of the codec. Bodies end with a line feed, as those of Go's encoder do. All methods are pure and may
 * be called from any thread.
 */
public final class DockerJson {
  /** A longer request body is refused; the largest legal one is a config of 1000 KiB in base64. */
  public static final int MAX_BODY_BYTES = 4 * 1024 * 1024;

  /** What Go's http.MaxBytesReader says. */
  public static final String BODY_TOO_LARGE = "http: request body too large";

  private DockerJson() {}

  /** One object and a line feed. */
  public static byte[] write(Message message) {
    return MessageWriter.object(message);
  }

  /** A list, also when it is empty, and a line feed. */
  public static byte[] writeArray(List<? extends Message> messages) {
    return MessageWriter.array(messages);
  }

  /** A bare string and a line feed: the answer to swarm/init. */
  public static byte[] writeString(String text) {
    return MessageWriter.string(text);
  }

  /**
   * Reads a request body. Keys are matched exactly, else ignoring case; unknown keys are ignored, null means absent, and
   * what stands behind the first value is not looked at.
   *
   * @param goTypeName the Go type that Docker's engine reads this body into, for its error texts: {@code ServiceSpec} (of
   *     package swarm), or with a package: {@code types.NetworkCreateRequest}
   */
  @SuppressWarnings("unchecked") // a builder made by a T builds a T
  public static <T extends Message> Decoded<T> read(byte[] body, T prototype, String goTypeName) {
    if (body.length > MAX_BODY_BYTES) {
      return new Decoded.Refused<>(BODY_TOO_LARGE);
    }
    return switch (JsonSyntax.firstValue(body)) {
      case JsonSyntax.Empty _ -> new Decoded.Refused<>("got EOF while reading request body");
      case JsonSyntax.Truncated _ -> new Decoded.Refused<>("unexpected EOF");
      case JsonSyntax.Broken broken -> new Decoded.Refused<>(broken.message());
      case JsonSyntax.Value value -> {
        Message.Builder builder = prototype.newBuilderForType();
        try {
          MessageReader.read(value.text(body), builder, goTypeName);
          yield new Decoded.Ok<>((T) builder.build());
        } catch (JsonMismatch e) {
          yield new Decoded.Refused<>(e.getMessage());
        }
      }
    };
  }

  /** Reads a {@code filters} query value in either of its two forms; an empty text is no filter. */
  public static Decoded<Map<String, Set<String>>> readFilters(String json) {
    return FilterJson.read(json);
  }
}
