package dev.skep.skepd.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Users of a cluster while something happens to it: one asks a published port of hosts in turn, one creates services of no
 * task through managers in turn. Both go on until this is closed, and write down what became of each try.
 */
final class ManagersLoad implements AutoCloseable {
  /** A write that was answered: with which status, when it was sent and when it was answered, in milliseconds. */
  record Write(String status, String name, long sent, long answered) {
    boolean acknowledged() {
      return status.equals("201");
    }
  }

  private static final String BODY = "{\"Name\":\"'$name'\",\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"" + ThreeNodes.IMAGE
      + "\"}},\"Mode\":{\"Replicated\":{\"Replicas\":0}}}";

  private final Path folder;
  private final Process requests;
  private final Process writes;

  /**
   * @param prefix of the names of the services
   * @param port of a service whose tasks nothing happens to
   */
  ManagersLoad(Lab lab, String prefix, List<Integer> hosts, int port, List<Integer> managers) {
    try {
      folder = Files.createTempDirectory("skep-managers");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String addresses = hosts.stream().map(lab::address).collect(Collectors.joining(" "));
    String sockets = managers.stream().map(manager -> lab.api(manager).substring("unix://".length())).collect(Collectors.joining(" "));
    String go = "[ ! -e " + folder + "/stop ] && kill -0 $PPID || exit 0; "; // they end with the test, however it ends
    requests = Command.of("sh", "-c", "while :; do for a in " + addresses + "; do " + go + "t=$(date +%s%3N); if curl -s -m 20 http://$a:" + port
        + "/ | grep -q '^greetings'; then echo ok; else echo failed at $a from $t to $(date +%s%3N); fi; sleep 0.05; done; done")
        .inNamespace(lab.namespace()).start(folder.resolve("requests"));
    writes = Command.of("sh", "-c", "n=0; while :; do for s in " + sockets + "; do " + go + "n=$((n+1)); name=" + prefix + "$n; t=$(date +%s%3N); "
        + "c=$(curl -s -m 20 -o /dev/null -w '%{http_code}' --unix-socket $s -H 'Content-Type: application/json' -d '" + BODY + "' http://skep/services/create); "
        + "echo $c $name $t $(date +%s%3N); sleep 0.1; done; done").start(folder.resolve("writes"));
  }

  private List<String> lines(String file) {
    try {
      String text = Files.readString(folder.resolve(file));
      return text.substring(0, text.lastIndexOf('\n') + 1).lines().toList(); // the last line may be half there
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  List<String> failures() {
    return lines("requests").stream().filter(line -> !line.equals("ok")).toList();
  }

  int requests() {
    return lines("requests").size();
  }

  List<Write> writes() {
    return lines("writes").stream().map(line -> line.split(" ")).map(words -> new Write(words[0], words[1], Long.parseLong(words[2]), Long.parseLong(words[3]))).toList();
  }

  /** Both have been served since now, by each of whom they ask. */
  void goesOn(int each) {
    int asked = requests();
    int written = acknowledged();
    Machine.eventually("the users are served", () -> Math.min(requests() - asked, acknowledged() - written), served -> served >= each);
  }

  int acknowledged() {
    return (int) writes().stream().filter(Write::acknowledged).count();
  }

  /** The longest time in which no write was acknowledged, in milliseconds. */
  long longestSilence() {
    long longest = 0;
    long last = 0;
    for (Write write : writes()) {
      if (write.acknowledged()) {
        longest = last == 0 ? longest : Math.max(longest, write.answered() - last);
        last = write.answered();
      }
    }
    return longest;
  }

  /** The users go home; what they saw stays readable until {@link #close}. */
  void stop() {
    try {
      Path stop = folder.resolve("stop");
      if (!Files.exists(stop)) {
        Files.createFile(stop);
      }
      requests.waitFor();
      writes.waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  @Override
  public void close() {
    stop();
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
      Files.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
