package dev.skep.controlapi.codec;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * Reads {@code {"name":{"a":true}}} and the older {@code {"name":["a"]}}. One body is in one form; a mixture is refused
 * with what Go says about the newer one.
 */
final class FilterJson {
  /** More values than any client sends; a bound, not a rule of Docker's. */
  static final int MAX_VALUES = 10_000;

  private FilterJson() {}

  static Decoded<Map<String, Set<String>>> read(String json) {
    if (json.isEmpty()) {
      return new Decoded.Ok<>(Map.of());
    }
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    return switch (JsonSyntax.onlyValue(bytes)) {
      case JsonSyntax.Empty _ -> new Decoded.Refused<>("unexpected end of JSON input");
      case JsonSyntax.Truncated _ -> new Decoded.Refused<>("unexpected end of JSON input");
      case JsonSyntax.Broken broken -> new Decoded.Refused<>(broken.message());
      case JsonSyntax.Value value -> shaped(value.text(bytes));
    };
  }

  private static Decoded<Map<String, Set<String>>> shaped(String json) {
    try {
      return new Decoded.Ok<>(parse(json, false));
    } catch (JsonMismatch newForm) {
      try {
        return new Decoded.Ok<>(parse(json, true));
      } catch (JsonMismatch _) {
        return new Decoded.Refused<>(newForm.getMessage());
      }
    }
  }

  private static Map<String, Set<String>> parse(String json, boolean lists) throws JsonMismatch {
    Map<String, Set<String>> filters = new LinkedHashMap<>();
    try (JsonParser parser = MessageReader.FACTORY.createParser(json)) {
      JsonToken token = parser.nextToken();
      if (token == JsonToken.VALUE_NULL) {
        return filters;
      }
      if (token != JsonToken.START_OBJECT) {
        throw mismatch(token, "map[string]map[string]bool");
      }
      int values = 0;
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        Set<String> set = filters.computeIfAbsent(parser.currentName(), _ -> new LinkedHashSet<>());
        values += lists ? list(parser, set) : object(parser, set);
        if (values > MAX_VALUES) {
          throw new JsonMismatch("more than " + MAX_VALUES + " filter values");
        }
      }
      return filters;
    } catch (IOException e) {
      throw new UncheckedIOException(e); // the text was checked: this is our own failure
    }
  }

  private static int object(JsonParser parser, Set<String> into) throws IOException, JsonMismatch {
    JsonToken token = parser.nextToken();
    if (token == JsonToken.VALUE_NULL) {
      return 0;
    }
    if (token != JsonToken.START_OBJECT) {
      throw mismatch(token, "map[string]bool");
    }
    int count = 0;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      token = parser.nextToken();
      if (token != JsonToken.VALUE_TRUE && token != JsonToken.VALUE_FALSE && token != JsonToken.VALUE_NULL) {
        throw mismatch(token, "bool");
      }
      into.add(name); // Docker looks at the key only
      count++;
    }
    return count;
  }

  private static int list(JsonParser parser, Set<String> into) throws IOException, JsonMismatch {
    JsonToken token = parser.nextToken();
    if (token == JsonToken.VALUE_NULL) {
      return 0;
    }
    if (token != JsonToken.START_ARRAY) {
      throw mismatch(token, "[]string");
    }
    int count = 0;
    while ((token = parser.nextToken()) != JsonToken.END_ARRAY) {
      if (token != JsonToken.VALUE_STRING) {
        throw mismatch(token, "string");
      }
      into.add(parser.getText());
      count++;
    }
    return count;
  }

  private static JsonMismatch mismatch(JsonToken token, String goType) {
    return new JsonMismatch("json: cannot unmarshal " + MessageReader.kindOf(token) + " into Go value of type " + goType);
  }
}
