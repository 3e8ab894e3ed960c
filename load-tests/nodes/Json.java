import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** As much of JSON as the Docker API writes. */
final class Json {
  private final String text;
  private int at;

  Json(String text) {
    this.text = text;
  }

  Object value() {
    space();
    char first = text.charAt(at);
    if (first == '{') {
      Map<String, Object> map = new TreeMap<>();
      at++;
      for (space(); text.charAt(at) != '}'; space()) {
        String key = string();
        space();
        at++; // the colon
        map.put(key, value());
        comma();
      }
      at++;
      return map;
    }
    if (first == '[') {
      List<Object> list = new ArrayList<>();
      at++;
      for (space(); text.charAt(at) != ']'; space()) {
        list.add(value());
        comma();
      }
      at++;
      return list;
    }
    if (first == '"') {
      return string();
    }
    int begin = at;
    while (at < text.length() && ",]} \n\r\t".indexOf(text.charAt(at)) < 0) {
      at++;
    }
    String word = text.substring(begin, at);
    return switch (word) {
      case "true" -> true;
      case "false" -> false;
      case "null" -> null;
      default -> Double.valueOf(word);
    };
  }

  private void comma() {
    space();
    if (text.charAt(at) == ',') {
      at++;
    }
  }

  private void space() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
  }

  private String string() {
    StringBuilder out = new StringBuilder();
    for (at++; text.charAt(at) != '"'; at++) {
      if (text.charAt(at) == '\\') {
        at++;
        if (text.charAt(at) == 'u') {
          out.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
          at += 4;
          continue;
        }
      }
      out.append(text.charAt(at));
    }
    at++;
    return out.toString();
  }
}
