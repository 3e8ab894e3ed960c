package dev.skep.load.placement;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Figures by name: printed as lines {@code =name value}, and read again by whoever started the process. */
final class Figures {
  private final Map<String, Double> values = new TreeMap<>();

  void put(String name, double value) {
    values.put(name, value);
    System.out.println("=" + name + " " + value);
  }

  /** Median, p99 and maximum of these milliseconds. */
  void latency(String name, double[] millis) {
    double[] sorted = millis.clone();
    Arrays.sort(sorted);
    put(name + " p50", at(sorted, 0.5));
    put(name + " p99", at(sorted, 0.99));
    put(name + " max", sorted[sorted.length - 1]);
  }

  private static double at(double[] sorted, double share) {
    return sorted[(int) Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
  }

  /** True when the line was a figure. */
  boolean read(String line) {
    if (!line.startsWith("=")) {
      return false;
    }
    int space = line.lastIndexOf(' ');
    values.put(line.substring(1, space), Double.parseDouble(line.substring(space + 1)));
    return true;
  }

  Map<String, Double> all() {
    return values;
  }

  static double median(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  static String text(double value) {
    return String.format(Locale.ROOT, value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value);
  }
}
