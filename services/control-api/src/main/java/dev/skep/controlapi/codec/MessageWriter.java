package dev.skep.controlapi.codec;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.MapEntry;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.skep.options.Json;
import dev.skep.options.Presence;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Prints messages: keys in field order, what holds nothing as the field's option says. */
final class MessageWriter {
  // Beyond the basic plane Go prints the character itself, not two escaped halves.
  private static final JsonFactory FACTORY = JsonFactory.builder().enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8).build();

  private interface Body {
    void print(JsonGenerator out) throws IOException;
  }

  private MessageWriter() {}

  static byte[] object(Message message) {
    return bytes(out -> message(out, message));
  }

  static byte[] array(List<? extends Message> messages) {
    return bytes(
        out -> {
          out.writeStartArray();
          for (Message message : messages) {
            message(out, message);
          }
          out.writeEndArray();
        });
  }

  static byte[] string(String text) {
    return bytes(out -> out.writeString(text));
  }

  private static byte[] bytes(Body body) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
    try (JsonGenerator out = FACTORY.createGenerator(bytes, JsonEncoding.UTF8)) {
      out.setCharacterEscapes(new GoEscapes());
      body.print(out);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail
    }
    bytes.write('\n');
    return bytes.toByteArray();
  }

  private static void message(JsonGenerator out, Message message) throws IOException {
    out.writeStartObject();
    for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
      field(out, message, field);
    }
    out.writeEndObject();
  }

  private static void field(JsonGenerator out, Message message, FieldDescriptor field) throws IOException {
    if (holdsSomething(message, field)) {
      out.writeFieldName(field.getJsonName());
      if (field.isMapField()) {
        map(out, message, field);
      } else if (field.isRepeated()) {
        out.writeStartArray();
        for (int i = 0; i < message.getRepeatedFieldCount(field); i++) {
          value(out, field, message.getRepeatedField(field, i));
        }
        out.writeEndArray();
      } else {
        value(out, field, message.getField(field));
      }
      return;
    }
    switch (field.getOptions().getExtension(Json.json)) {
      case OMIT, UNRECOGNIZED -> {}
      case EMPTY_AS_NULL -> out.writeNullField(field.getJsonName());
      case ALWAYS -> {
        out.writeFieldName(field.getJsonName());
        empty(out, message, field);
      }
    }
  }

  /** Set messages and set optional scalars count, even when what they hold is zero; other scalars when not zero. */
  private static boolean holdsSomething(Message message, FieldDescriptor field) {
    return field.isRepeated() ? message.getRepeatedFieldCount(field) > 0 : message.hasField(field);
  }

  private static void empty(JsonGenerator out, Message message, FieldDescriptor field) throws IOException {
    if (field.isMapField()) {
      out.writeStartObject();
      out.writeEndObject();
      return;
    }
    if (field.isRepeated()) {
      out.writeStartArray();
      out.writeEndArray();
      return;
    }
    if (isTime(field)) {
      out.writeString(GoFormat.ZERO_TIME);
      return;
    }
    value(out, field, message.getField(field));
  }

  private static void value(JsonGenerator out, FieldDescriptor field, Object value) throws IOException {
    switch (field.getType()) {
      case STRING -> out.writeString((String) value);
      case BOOL -> out.writeBoolean((Boolean) value);
      case INT64, SINT64, SFIXED64 -> out.writeNumber((Long) value);
      case UINT64, FIXED64 -> out.writeNumber(Long.toUnsignedString((Long) value));
      case INT32, SINT32, SFIXED32 -> out.writeNumber((Integer) value);
      case UINT32, FIXED32 -> out.writeNumber(Integer.toUnsignedLong((Integer) value));
      case FLOAT -> out.writeNumber(GoFormat.ofFloat((Float) value));
      case BYTES -> out.writeString(Base64.getEncoder().encodeToString(((ByteString) value).toByteArray()));
      case MESSAGE -> {
        if (value instanceof Timestamp time) {
          out.writeString(GoFormat.ofTime(time));
        } else {
          message(out, (Message) value);
        }
      }
      case DOUBLE, ENUM, GROUP -> throw new IllegalStateException("the API model has no " + field.getType() + ": " + field.getFullName());
    }
  }

  private static void map(JsonGenerator out, Message message, FieldDescriptor field) throws IOException {
    FieldDescriptor valueField = field.getMessageType().findFieldByNumber(2);
    Map<String, Object> sorted = new TreeMap<>(GoEscapes.BY_BYTES);
    for (int i = 0; i < message.getRepeatedFieldCount(field); i++) {
      MapEntry<?, ?> entry = (MapEntry<?, ?>) message.getRepeatedField(field, i);
      sorted.put((String) entry.getKey(), entry.getValue());
    }
    out.writeStartObject();
    for (Map.Entry<String, Object> entry : sorted.entrySet()) {
      out.writeFieldName(entry.getKey());
      value(out, valueField, entry.getValue());
    }
    out.writeEndObject();
  }

  static boolean isTime(FieldDescriptor field) {
    return field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
        && field.getMessageType().getFullName().equals("google.protobuf.Timestamp");
  }

  static Presence presence(FieldDescriptor field) {
    return field.getOptions().getExtension(Json.json);
  }
}
