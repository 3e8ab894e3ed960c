package dev.skep.load.placement;

import java.io.BufferedReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Both forms by turns, each life in a process of its own; at the end the medians side by side. */
final class PlacementBench {
  private static final List<String> JVM = List.of("-XX:+UseSerialGC", "-XX:+UseCompactObjectHeaders", "-Xss512k", "-XX:+ExitOnOutOfMemoryError",
      "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-Dio.netty.allocator.numDirectArenas=2",
      "-Dio.netty.allocator.numHeapArenas=1");

  private PlacementBench() {}

  public static void main(String[] args) throws Exception {
    Options options = Options.of(args);
    List<String> forms = options.flag("hour") ? List.of("etcd") : turns(options.number("rounds", 2));
    Map<String, List<Figures>> runs = new TreeMap<>();
    for (String form : forms) {
      System.out.println("--- " + form);
      List<String> phases = new ArrayList<>(List.of(args));
      phases.add("form=" + form);
      if (options.flag("hour")) {
        phases.add("phases=hour");
      }
      runs.computeIfAbsent(form, _ -> new ArrayList<>()).add(life(phases, options));
    }
    table(runs);
  }

  /** etcd, embedded, embedded, etcd … */
  private static List<String> turns(int rounds) {
    List<String> forms = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      forms.addAll(i % 2 == 0 ? List.of("etcd", "embedded") : List.of("embedded", "etcd"));
    }
    return forms;
  }

  private static Figures life(List<String> arguments, Options options) throws Exception {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow()));
    command.addAll(JVM);
    command.addAll(List.of(options.text("jvm", "-Xmx768m -XX:TieredStopAtLevel=1").split(" ")));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Life.class.getName()));
    command.addAll(arguments);
    Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
    Figures figures = new Figures();
    try (BufferedReader output = process.inputReader()) {
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        if (!figures.read(line) || options.flag("verbose")) {
          System.out.println(line);
        }
      }
    }
    if (process.waitFor() != 0) {
      throw new IllegalStateException("a life failed");
    }
    return figures;
  }

  private static void table(Map<String, List<Figures>> runs) {
    Map<String, Map<String, Double>> medians = new TreeMap<>();
    runs.forEach((form, all) -> all.getFirst().all().keySet().forEach(name -> medians.computeIfAbsent(name, _ -> new TreeMap<>())
        .put(form, Figures.median(all.stream().map(one -> one.all().get(name)).filter(value -> value != null).toList()))));
    System.out.printf("%n%-60s %12s %12s %8s%n", "median of " + runs.values().iterator().next().size(), "etcd+Kafka", "embedded", "ratio");
    medians.forEach((name, by) -> {
      Optional<Double> ratio = by.size() == 2 && by.get("embedded") != 0 ? Optional.of(by.get("etcd") / by.get("embedded")) : Optional.empty();
      System.out.printf("%-60s %12s %12s %8s%n", name, text(by.get("etcd")), text(by.get("embedded")), ratio.map(Figures::text).orElse(""));
    });
  }

  private static String text(Double value) {
    return value == null ? "" : Figures.text(value);
  }
}
