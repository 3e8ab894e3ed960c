package dev.skep.controlapi.codec;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.MapEntry;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.skep.options.Presence;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.TreeMap;

/** Reads checked JSON into a message, the first mismatch told in Go's words. */
final class MessageReader {
  static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(JsonSyntax.MAX_DEPTH + 2)
                  .maxNumberLength(DockerJson.MAX_BODY_BYTES)
                  .maxStringLength(DockerJson.MAX_BODY_BYTES)
                  .maxNameLength(DockerJson.MAX_BODY_BYTES)
                  .build())
          // Names come from users: interning or caching them would keep them for ever.
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .build();

  private static final BigInteger UINT64_MAX = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);
  private static final BigInteger UINT32_MAX = BigInteger.ONE.shiftLeft(32).subtract(BigInteger.ONE);

  private final JsonParser in;
  private final String rootType;
  private final Deque<FieldDescriptor> path = new ArrayDeque<>();

  private MessageReader(JsonParser in, String rootType) {
    this.in = in;
    this.rootType = rootType;
  }

  static void read(String json, Message.Builder into, String goTypeName) throws JsonMismatch {
    try (JsonParser parser = FACTORY.createParser(json)) {
      MessageReader reader = new MessageReader(parser, goTypeName);
      JsonToken token = parser.nextToken();
      if (token == JsonToken.VALUE_NULL) {
        return;
      }
      if (token != JsonToken.START_OBJECT) {
        String qualified = goTypeName.indexOf('.') < 0 ? "swarm." + goTypeName : goTypeName;
        throw new JsonMismatch("json: cannot unmarshal " + reader.valueText(token) + " into Go value of type " + qualified);
      }
      reader.object(into);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // the text was checked: this is our own failure
    }
  }

  private void object(Message.Builder into) throws IOException, JsonMismatch {
    Descriptor type = into.getDescriptorForType();
    while (in.nextToken() != JsonToken.END_OBJECT) {
      FieldDescriptor field = find(type, in.currentName());
      JsonToken token = in.nextToken();
      if (field == null) {
        in.skipChildren();
        continue;
      }
      path.addLast(field);
      field(into, field, token);
      path.removeLast();
    }
  }

  private static FieldDescriptor find(Descriptor type, String key) {
    FieldDescriptor folded = null;
    for (FieldDescriptor field : type.getFields()) {
      if (field.getJsonName().equals(key)) {
        return field;
      }
      if (folded == null && field.getJsonName().equalsIgnoreCase(key)) {
        folded = field;
      }
    }
    return folded;
  }

  private void field(Message.Builder into, FieldDescriptor field, JsonToken token) throws IOException, JsonMismatch {
    if (token == JsonToken.VALUE_NULL) {
      if (field.isRepeated() || field.hasPresence()) {
        into.clearField(field);
      }
    } else if (field.isMapField()) {
      map(into, field, token);
    } else if (field.isRepeated()) {
      array(into, field, token);
    } else if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE && !MessageWriter.isTime(field)) {
      if (token != JsonToken.START_OBJECT) {
        throw mismatch(token, field);
      }
      // A key that comes twice is merged, as Go decodes into the same struct twice.
      Message.Builder nested = ((Message) into.getField(field)).toBuilder();
      object(nested);
      into.setField(field, nested.build());
    } else {
      Object value = scalar(field, token);
      if (value != null) {
        into.setField(field, value);
      } else {
        into.clearField(field);
      }
    }
  }

  private void array(Message.Builder into, FieldDescriptor field, JsonToken token) throws IOException, JsonMismatch {
    if (token != JsonToken.START_ARRAY) {
      throw new JsonMismatch(sentence(token, GoTypes.ofField(field)));
    }
    into.clearField(field);
    JsonToken next;
    while ((next = in.nextToken()) != JsonToken.END_ARRAY) {
      into.addRepeatedField(field, element(into, field, next));
    }
  }

  private Object element(Message.Builder into, FieldDescriptor field, JsonToken token) throws IOException, JsonMismatch {
    if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE) {
      return token == JsonToken.VALUE_NULL ? "" : scalar(field, token);
    }
    Message.Builder element = into.newBuilderForField(field);
    if (token == JsonToken.VALUE_NULL) {
      return element.build();
    }
    if (token != JsonToken.START_OBJECT) {
      throw new JsonMismatch(sentence(token, GoTypes.ofElement(field)));
    }
    object(element);
    return element.build();
  }

  private void map(Message.Builder into, FieldDescriptor field, JsonToken token) throws IOException, JsonMismatch {
    if (token != JsonToken.START_OBJECT) {
      throw mismatch(token, field);
    }
    FieldDescriptor keyField = field.getMessageType().findFieldByNumber(1);
    FieldDescriptor valueField = field.getMessageType().findFieldByNumber(2);
    Map<String, Object> entries = new TreeMap<>();
    for (int i = 0; i < into.getRepeatedFieldCount(field); i++) {
      MapEntry<?, ?> entry = (MapEntry<?, ?>) into.getRepeatedField(field, i);
      entries.put((String) entry.getKey(), entry.getValue());
    }
    while (in.nextToken() != JsonToken.END_OBJECT) {
      String key = wellFormed(in.currentName());
      entries.put(key, mapValue(into.newBuilderForField(field), valueField, in.nextToken()));
    }
    into.clearField(field);
    for (Map.Entry<String, Object> entry : entries.entrySet()) {
      into.addRepeatedField(
          field, into.newBuilderForField(field).setField(keyField, entry.getKey()).setField(valueField, entry.getValue()).build());
    }
  }

  private Object mapValue(Message.Builder entry, FieldDescriptor valueField, JsonToken token) throws IOException, JsonMismatch {
    if (valueField.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
      Message.Builder value = entry.newBuilderForField(valueField);
      if (token == JsonToken.START_OBJECT) {
        object(value);
      } else if (token != JsonToken.VALUE_NULL) {
        throw mismatch(token, valueField);
      }
      return value.build();
    }
    return token == JsonToken.VALUE_NULL ? "" : scalar(valueField, token);
  }

  /** Null: the zero time, which is kept as an absent one. */
  private Object scalar(FieldDescriptor field, JsonToken token) throws IOException, JsonMismatch {
    return switch (field.getType()) {
      case STRING -> wellFormed(text(field, token));
      case BOOL -> {
        if (token != JsonToken.VALUE_TRUE && token != JsonToken.VALUE_FALSE) {
          throw mismatch(token, field);
        }
        yield token == JsonToken.VALUE_TRUE;
      }
      case INT64, SINT64, SFIXED64 -> whole(field, token, BigInteger.valueOf(Long.MIN_VALUE), BigInteger.valueOf(Long.MAX_VALUE))
          .longValue();
      case UINT64, FIXED64 -> whole(field, token, BigInteger.ZERO, UINT64_MAX).longValue();
      case INT32, SINT32, SFIXED32 -> whole(field, token, BigInteger.valueOf(Integer.MIN_VALUE), BigInteger.valueOf(Integer.MAX_VALUE))
          .intValue();
      case UINT32, FIXED32 -> whole(field, token, BigInteger.ZERO, UINT32_MAX).intValue();
      case FLOAT -> fraction(field, token);
      case BYTES -> ByteString.copyFrom(GoBase64.decode(text(field, token)));
      case MESSAGE -> time(field, token);
      case DOUBLE, ENUM, GROUP -> throw new IllegalStateException("the API model has no " + field.getType() + ": " + field.getFullName());
    };
  }

  private String text(FieldDescriptor field, JsonToken token) throws IOException, JsonMismatch {
    if (token != JsonToken.VALUE_STRING) {
      throw mismatch(token, field);
    }
    return in.getText();
  }

  private Timestamp time(FieldDescriptor field, JsonToken token) throws IOException, JsonMismatch {
    String text = text(field, token);
    boolean zero = text.equals(GoFormat.ZERO_TIME) && MessageWriter.presence(field) == Presence.ALWAYS;
    return zero ? null : GoFormat.toTime(text);
  }

  private BigInteger whole(FieldDescriptor field, JsonToken token, BigInteger min, BigInteger max) throws IOException, JsonMismatch {
    // 20 characters hold every 64-bit number; longer ones are not even converted.
    if (token != JsonToken.VALUE_NUMBER_INT || in.getTextLength() > 20) {
      throw mismatch(token, field);
    }
    BigInteger value = new BigInteger(in.getText());
    if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
      throw mismatch(token, field);
    }
    return value;
  }

  private Float fraction(FieldDescriptor field, JsonToken token) throws IOException, JsonMismatch {
    if (token != JsonToken.VALUE_NUMBER_INT && token != JsonToken.VALUE_NUMBER_FLOAT) {
      throw mismatch(token, field);
    }
    float value = Float.parseFloat(in.getText());
    if (Float.isInfinite(value)) {
      throw mismatch(token, field);
    }
    return value;
  }

  private JsonMismatch mismatch(JsonToken token, FieldDescriptor field) throws IOException {
    boolean element = field.isRepeated() && !field.isMapField() && token != JsonToken.START_ARRAY;
    return new JsonMismatch(sentence(token, element ? GoTypes.ofElement(field) : GoTypes.ofField(field)));
  }

  private String sentence(JsonToken token, String goType) throws IOException {
    StringBuilder names = new StringBuilder();
    for (FieldDescriptor field : path) {
      names.append('.').append(field.getJsonName());
    }
    String struct = path.size() == 1 ? rootType.substring(rootType.lastIndexOf('.') + 1) : GoTypes.shortName(path);
    return "json: cannot unmarshal " + valueText(token) + " into Go struct field " + struct + names + " of type " + goType;
  }

  /** Go names the kind of the value, and a number that does not fit with its digits. */
  private String valueText(JsonToken token) throws IOException {
    boolean fits = path.isEmpty() || !GoTypes.isNumber(path.getLast());
    boolean number = token == JsonToken.VALUE_NUMBER_INT || token == JsonToken.VALUE_NUMBER_FLOAT;
    return number && !fits ? "number " + in.getText() : kindOf(token);
  }

  static String kindOf(JsonToken token) {
    return switch (token) {
      case START_OBJECT -> "object";
      case START_ARRAY -> "array";
      case VALUE_STRING -> "string";
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "number";
      case VALUE_TRUE, VALUE_FALSE -> "bool";
      case VALUE_NULL -> "null";
      case END_OBJECT, END_ARRAY, FIELD_NAME, VALUE_EMBEDDED_OBJECT, NOT_AVAILABLE ->
          throw new IllegalStateException("not the beginning of a value: " + token);
    };
  }

  /** Halves of a surrogate pair become the replacement character, as in Go: the store holds valid UTF-8 only. */
  private static String wellFormed(String text) {
    StringBuilder mended = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!Character.isSurrogate(c)) {
        continue;
      }
      if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
        continue;
      }
      if (mended == null) {
        mended = new StringBuilder(text);
      }
      mended.setCharAt(i, '\uFFFD');
    }
    return mended == null ? text : mended.toString();
  }
}
