package dev.skep.load.edge;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.ArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Debian's dnsperf with the same questions for everybody. */
final class DnsLoad {
  private static final Pattern COMPLETED = Pattern.compile("Queries completed:\\s+(\\d+)");
  private static final Pattern CODES = Pattern.compile("Response codes:\\s+(.*)");

  private final Path questions;

  DnsLoad(Path work) throws Exception {
    List<String> lines = new ArrayList<>();
    for (int n = 0; n < Contenders.NAMES; n++) {
      lines.add("name" + n + " A");
    }
    Collections.shuffle(lines, new Random(1));
    questions = Files.write(work.resolve("questions"), lines);
  }

  /** How many answers came. Anything but NOERROR is an error of the bench. */
  double run(int port, Duration length) throws Exception {
    Process process = new ProcessBuilder("taskset", "-c", "1", "dnsperf", "-s", "127.0.0.1", "-p", Integer.toString(port), "-a", Ports.ASKER,
        "-d", questions.toString(), "-l", Long.toString(length.toSeconds()), "-c", "4", "-q", "200").redirectErrorStream(true).start();
    String text = new String(process.getInputStream().readAllBytes());
    process.waitFor();
    Matcher completed = COMPLETED.matcher(text);
    Matcher codes = CODES.matcher(text);
    if (!completed.find() || !codes.find() || !codes.group(1).matches("NOERROR \\d+ \\(100\\.00%\\)")) {
      throw new IllegalStateException("dnsperf at " + port + ":\n" + text);
    }
    return Double.parseDouble(completed.group(1));
  }
}
