package dev.skep.controlapi.codec;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.skep.api.v1.InitRequest;
import dev.skep.api.v1.Network;
import dev.skep.api.v1.NetworkCreateRequest;
import dev.skep.api.v1.Node;
import dev.skep.api.v1.Secret;
import dev.skep.api.v1.Service;
import dev.skep.api.v1.ServiceSpec;
import dev.skep.api.v1.SwarmInfo;
import dev.skep.api.v1.Task;
import dev.skep.options.Presence;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Generated messages are printed, read and printed again: nothing is lost, and keys in another case read the same. */
class RoundTripTest {
  private static final int SEEDS = 100;
  private static final String[] STRINGS = {
    "a", "", "<&>", "\"\\/", "é世\ud83d\ude00", "\u2028\u0000\u001f", "node.role==manager", " ", "0", "null",
  };
  private static final long[] NUMBERS = {0, 1, -1, Long.MAX_VALUE, Long.MIN_VALUE, 9007199254740993L, 5_000_000_000L, 4294967295L,
      2147483648L};

  static Stream<Message> prototypes() {
    return Stream.of(
        Service.getDefaultInstance(), ServiceSpec.getDefaultInstance(), Task.getDefaultInstance(), Node.getDefaultInstance(),
            Network.getDefaultInstance(),
        NetworkCreateRequest.getDefaultInstance(), SwarmInfo.getDefaultInstance(), Secret.getDefaultInstance(),
            InitRequest.getDefaultInstance());
  }

  @ParameterizedTest
  @MethodSource("prototypes")
  void nothingIsLost(Message prototype) {
    for (long seed = 0; seed < SEEDS; seed++) {
      Message message = generated(prototype, new Random(seed), 0);
      byte[] printed = DockerJson.write(message);
      Message again = read(printed, prototype, seed);
      assertThat(new String(DockerJson.write(again), StandardCharsets.UTF_8)).as("seed %s", seed)
          .isEqualTo(new String(printed, StandardCharsets.UTF_8));
      assertThat(trimmed(again)).as("seed %s", seed).isEqualTo(trimmed(message));
    }
  }

  @ParameterizedTest
  @MethodSource("prototypes")
  void brokenBodiesAreRefusedAndNothingElse(Message prototype) {
    for (long seed = 0; seed < SEEDS; seed++) {
      Random random = new Random(seed);
      byte[] body = DockerJson.write(generated(prototype, random, 0));
      for (int i = random.nextInt(3) + 1; i > 0; i--) {
        body[random.nextInt(body.length)] = (byte) random.nextInt(256);
      }
      // Whatever comes out, it is a value: no exception, no hang.
      assertThat(DockerJson.read(body, prototype, "ServiceSpec")).as("seed %s", seed).isNotNull();
    }
  }

  private static Message read(byte[] json, Message prototype, long seed) {
    return switch (DockerJson.read(json, prototype, "X")) {
      case Decoded.Ok<Message> ok -> ok.value();
      case Decoded.Refused<Message> refused ->
          throw new AssertionError("seed " + seed + ": " + refused.message() + "\n" + new String(json, StandardCharsets.UTF_8));
    };
  }

  /** What is always printed comes back as present: an empty message then is as good as none. */
  private static Message trimmed(Message message) {
    Message.Builder builder = message.toBuilder();
    for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
      if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE || field.isMapField()) {
        continue;
      }
      if (field.isRepeated()) {
        for (int i = 0; i < message.getRepeatedFieldCount(field); i++) {
          builder.setRepeatedField(field, i, trimmed((Message) message.getRepeatedField(field, i)));
        }
      } else if (!MessageWriter.isTime(field) && (message.hasField(field) || MessageWriter.presence(field) == Presence.ALWAYS)) {
        builder.setField(field, trimmed((Message) message.getField(field)));
      }
    }
    return builder.build();
  }

  private static Message generated(Message prototype, Random random, int depth) {
    Message.Builder builder = prototype.newBuilderForType();
    for (FieldDescriptor field : prototype.getDescriptorForType().getFields()) {
      if (random.nextInt(3) == 0) {
        continue;
      }
      if (field.isMapField()) {
        for (String key : List.of("b", "a", "<k>").subList(0, random.nextInt(4))) {
          Message.Builder entry = builder.newBuilderForField(field);
          FieldDescriptor value = field.getMessageType().findFieldByNumber(2);
          entry.setField(field.getMessageType().findFieldByNumber(1), key).setField(value, value(entry, value, random, depth));
          builder.addRepeatedField(field, entry.build());
        }
      } else if (field.isRepeated()) {
        for (int i = random.nextInt(3); i > 0; i--) {
          builder.addRepeatedField(field, value(builder, field, random, depth));
        }
      } else {
        builder.setField(field, value(builder, field, random, depth));
      }
    }
    return builder.build();
  }

  private static Object value(Message.Builder parent, FieldDescriptor field, Random random, int depth) {
    long number = NUMBERS[random.nextInt(NUMBERS.length)];
    return switch (field.getJavaType()) {
      case STRING -> STRINGS[random.nextInt(STRINGS.length)];
      case BOOLEAN -> random.nextBoolean();
      case LONG -> number;
      case INT -> (int) number;
      case FLOAT -> Float.intBitsToFloat(random.nextInt() & 0xbf7fffff); // finite
      case BYTE_STRING -> {
        byte[] bytes = new byte[random.nextInt(5)];
        random.nextBytes(bytes);
        yield ByteString.copyFrom(bytes);
      }
      case MESSAGE -> {
        if (MessageWriter.isTime(field)) {
          yield Timestamp.newBuilder().setSeconds(random.nextInt(2_000_000_000))
              .setNanos(random.nextInt(4) == 0 ? 0 : random.nextInt(1_000_000_000)).build();
        }
        Message prototype = parent.newBuilderForField(field).getDefaultInstanceForType();
        yield depth > 6 ? prototype : generated(prototype, random, depth + 1);
      }
      case DOUBLE, ENUM -> throw new IllegalStateException(field.getFullName());
    };
  }
}
