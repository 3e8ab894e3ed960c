import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedDeque;

/** Per node a process that asks it something every 10 ms and tells when the answer, a set of words, changes. */
final class Watchers {
  record Sight(Instant when, Set<String> words) {}

  private final List<Process> processes = new ArrayList<>();
  private final List<Deque<Sight>> sights = new ArrayList<>();

  private Watchers() {}

  /**
   * The addresses that a name has for containers of each node.
   *
   * @param clients per node the process of a container
   */
  static Watchers ofName(String launcher, String lab, List<Long> clients, String name) throws IOException {
    Watchers watchers = new Watchers();
    for (int node = 1; node <= clients.size(); node++) {
      watchers.start(launcher, lab, node, List.of("nsenter", "--target", Long.toString(clients.get(node - 1)), "--net"), "NameWatch", name);
    }
    return watchers;
  }

  /** Who answers at each host's published port. */
  static Watchers ofDoor(String launcher, String lab, int nodes, int port) throws IOException {
    Watchers watchers = new Watchers();
    for (int node = 1; node <= nodes; node++) {
      watchers.start(launcher, lab, node, List.of(), "DoorWatch", Integer.toString(port));
    }
    return watchers;
  }

  private void start(String launcher, String lab, int node, List<String> within, String watch, String what) throws IOException {
    List<String> command = new ArrayList<>(List.of(launcher, "lab", "exec", "--name", lab, Integer.toString(node)));
    command.addAll(within);
    command.addAll(List.of(System.getProperty("java.home") + "/bin/java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx24m", "-cp",
        System.getProperty("java.class.path"), watch, what));
    Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    Deque<Sight> seen = new ConcurrentLinkedDeque<>();
    Thread.ofVirtual().start(() -> read(process, seen));
    processes.add(process);
    sights.add(seen);
  }

  private static void read(Process process, Deque<Sight> seen) {
    try (BufferedReader reader = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line; (line = reader.readLine()) != null;) {
        String[] words = line.split(" ");
        seen.add(new Sight(Instant.parse(words[0]), new TreeSet<>(List.of(words).subList(1, words.length))));
      }
    } catch (IOException e) {
      // the process was ended
    }
  }

  /** Every node tells this many words. */
  boolean agree(int count) {
    return sights.stream().allMatch(seen -> !seen.isEmpty() && seen.getLast().words().size() == count);
  }

  /** How long after the moment each node told the word (or told it no more), or null while one still does not. */
  List<Double> within(Instant moment, String word, boolean told) {
    return within(sights, moment, word, told);
  }

  /** The same without the last node, for an address that went. */
  List<Double> withoutCut(Instant moment, String address) {
    return within(sights.subList(0, sights.size() - 1), moment, address, false);
  }

  private static List<Double> within(List<Deque<Sight>> sights, Instant moment, String word, boolean told) {
    List<Double> times = new ArrayList<>();
    for (Deque<Sight> seen : sights) {
      Instant when = null;
      for (Iterator<Sight> back = seen.descendingIterator(); back.hasNext();) {
        Sight sight = back.next();
        if (sight.words().contains(word) != told) {
          break;
        }
        when = sight.when();
      }
      if (when == null) {
        return null;
      }
      times.add(Math.max(0, Duration.between(moment, when).toNanos() / 1e9));
    }
    return times;
  }

  /** Some node told anything. */
  boolean any() {
    return sights.stream().anyMatch(seen -> seen.stream().anyMatch(sight -> !sight.words().isEmpty()));
  }

  void close() {
    processes.forEach(process -> {
      try {
        process.getOutputStream().close();
      } catch (IOException e) {
        process.destroy();
      }
    });
  }
}
