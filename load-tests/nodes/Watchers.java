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

/** Per node a process in the network of its client container, which asks for the tasks' names every 10 ms. */
final class Watchers {
  record Sight(Instant when, Set<String> addresses) {}

  private final List<Process> processes = new ArrayList<>();
  private final List<Deque<Sight>> sights = new ArrayList<>();

  /**
   * @param launcher ./skep
   * @param clients per node the process of its client container
   */
  Watchers(String launcher, String lab, List<Long> clients) throws IOException {
    for (int node = 1; node <= clients.size(); node++) {
      Process process = new ProcessBuilder(launcher, "lab", "exec", "--name", lab, Integer.toString(node), "nsenter", "--target",
          Long.toString(clients.get(node - 1)), "--net", System.getProperty("java.home") + "/bin/java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx24m", "-cp",
          System.getProperty("java.class.path"), "NameWatch", "tasks.web").redirectError(ProcessBuilder.Redirect.INHERIT).start();
      Deque<Sight> seen = new ConcurrentLinkedDeque<>();
      Thread.ofVirtual().start(() -> read(process, seen));
      processes.add(process);
      sights.add(seen);
    }
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

  /** Every node names this many tasks. */
  boolean agree(int count) {
    return sights.stream().allMatch(seen -> !seen.isEmpty() && seen.getLast().addresses().size() == count);
  }

  /** How long after the moment each node named the address (or named it no more), or null while one still does not. */
  List<Double> within(Instant moment, String address, boolean named) {
    return within(sights, moment, address, named);
  }

  /** The same without the last node, for an address that went. */
  List<Double> withoutCut(Instant moment, String address) {
    return within(sights.subList(0, sights.size() - 1), moment, address, false);
  }

  private static List<Double> within(List<Deque<Sight>> sights, Instant moment, String address, boolean named) {
    List<Double> times = new ArrayList<>();
    for (Deque<Sight> seen : sights) {
      Instant when = null;
      for (Iterator<Sight> back = seen.descendingIterator(); back.hasNext();) {
        Sight sight = back.next();
        if (sight.addresses().contains(address) != named) {
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
