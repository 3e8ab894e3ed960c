package dev.skep.skepd.faults;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How processes of services are started: from what was just built and with its start-up cache where there is one, as users start them. */
final class Jvm {
  private static final List<String> FLAGS = List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-XX:+UseSerialGC",
      "-XX:TieredStopAtLevel=1", "-Xmx96m");

  private Jvm() {}

  static List<String> command(Class<?> main) {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow()));
    command.addAll(FLAGS);
    String home = System.getProperty("skep.home", ""); // ./skep test has built it
    Path cache = Path.of(home, "build", "skepd.aot");
    if (home.isEmpty() || !Files.exists(cache)) {
      command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    } else {
      command.addAll(List.of("-XX:+UseCompactObjectHeaders", "-XX:AOTCache=" + cache, "-Xlog:aot=off", "-Xlog:cds=off", "-cp",
          Path.of(home, "build", "lib", "*") + ":" + tests()));
    }
    command.add(main.getName());
    return command;
  }

  private static Path tests() {
    try {
      return Path.of(ServiceMain.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }
}
