package dev.skep.controlapi.codec;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON as maps in key order, lists, strings, booleans, null, and numbers as their text: nothing is lost in comparing. */
final class JsonTree {
  record Number(String digits) {}

  private static final JsonFactory FACTORY = new JsonFactory();

  private JsonTree() {}

  static Object parse(String json) {
    try (JsonParser parser = FACTORY.createParser(json)) {
      parser.nextToken();
      return value(parser);
    } catch (IOException e) {
      throw new UncheckedIOException(json, e);
    }
  }

  private static Object value(JsonParser in) throws IOException {
    return switch (in.currentToken()) {
      case START_OBJECT -> {
        Map<String, Object> map = new LinkedHashMap<>();
        while (in.nextToken() != JsonToken.END_OBJECT) {
          String key = in.currentName();
          in.nextToken();
          map.put(key, value(in));
        }
        yield map;
      }
      case START_ARRAY -> {
        List<Object> list = new ArrayList<>();
        while (in.nextToken() != JsonToken.END_ARRAY) {
          list.add(value(in));
        }
        yield list;
      }
      case VALUE_STRING -> in.getText();
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> new Number(in.getText());
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      default -> throw new IOException("unexpected " + in.currentToken());
    };
  }

  /** Canonical text with the keys in their order, so that a comparison of strings sees it. */
  static String text(Object value) {
    StringBuilder out = new StringBuilder();
    print(value, out);
    return out.toString();
  }

  private static void print(Object value, StringBuilder out) {
    switch (value) {
      case null -> out.append("null");
      case Number number -> out.append(number.digits());
      case Map<?, ?> map -> {
        out.append('{');
        map.forEach(
            (key, one) -> {
              out.append(out.charAt(out.length() - 1) == '{' ? "\n" : ",\n").append(key).append(": ");
              print(one, out);
            });
        out.append('}');
      }
      case List<?> list -> {
        out.append('[');
        for (Object one : list) {
          print(one, out);
          out.append(", ");
        }
        out.append(']');
      }
      case String text -> out.append('"').append(text).append('"');
      default -> out.append(value);
    }
  }

  /** The value as JSON, by hand: the codec is what is being tested. */
  static String json(Object value) {
    StringBuilder out = new StringBuilder();
    json(value, out);
    return out.toString();
  }

  private static void json(Object value, StringBuilder out) {
    switch (value) {
      case null -> out.append("null");
      case Number number -> out.append(number.digits());
      case String text -> quoted(text, out);
      case Map<?, ?> map -> {
        out.append('{');
        map.forEach(
            (key, one) -> {
              out.append(out.charAt(out.length() - 1) == '{' ? "" : ",");
              quoted((String) key, out);
              out.append(':');
              json(one, out);
            });
        out.append('}');
      }
      case List<?> list -> {
        out.append('[');
        for (int i = 0; i < list.size(); i++) {
          out.append(i == 0 ? "" : ",");
          json(list.get(i), out);
        }
        out.append(']');
      }
      default -> out.append(value);
    }
  }

  private static void quoted(String text, StringBuilder out) {
    out.append('"');
    text.chars().forEach(c -> out.append(c < 0x20 || c == '"' || c == '\\' ? String.format("\\u%04x", c) : String.valueOf((char) c)));
    out.append('"');
  }

  /** Without what Go's clients send and nobody needs: nulls, empty texts, lists and maps, zeros and falses. */
  static Object pruned(Object value) {
    return switch (value) {
      case null -> null;
      case Number number -> number.digits().matches("-?0(\\.0+)?") ? null : number;
      case Boolean bool -> bool ? bool : null;
      case String text -> text.isEmpty() ? null : text;
      case Map<?, ?> map -> {
        Map<Object, Object> kept = new LinkedHashMap<>();
        map.forEach(
            (key, one) -> {
              Object inner = pruned(one);
              if (inner != null) {
                kept.put(key, inner);
              }
            });
        yield kept.isEmpty() ? null : kept;
      }
      case List<?> list -> {
        List<Object> kept = new ArrayList<>();
        for (Object one : list) {
          kept.add(pruned(one));
        }
        yield kept.isEmpty() ? null : kept;
      }
      default -> throw new IllegalArgumentException(value.getClass().toString());
    };
  }
}
