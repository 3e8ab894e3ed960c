package dev.skep.testkit.net;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.LongPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Names for network namespaces of tests. A test process that is killed cannot take its namespaces away, nor what runs in
 * them; therefore a name says whose it is, no two processes ever want the same, and the next run removes what nobody owns.
 */
public final class Namespaces {
  private static final Path ALL = Path.of("/run/netns");
  private static final Path TEMPORARY = Path.of(System.getProperty("java.io.tmpdir"));
  private static final Pattern OURS = Pattern.compile("skt(\\d+)-\\w+");
  private static final long SELF = ProcessHandle.current().pid();
  private static boolean swept;

  private Namespaces() {}

  /** A name that nobody has: for a namespace, and for {@link #folder its folder}. */
  public static synchronized String fresh(String what) {
    if (!swept) {
      swept = true; // what carries our own number is left from an earlier process that had it
      removeLeftovers(owner -> owner == SELF || ProcessHandle.of(owner).isEmpty());
    }
    return "skt" + SELF + "-" + what + "_" + UUID.randomUUID().toString().substring(0, 6);
  }

  /** A new folder for the files of what runs in the namespace; it is removed with it. */
  public static Path folder(String namespace) throws IOException {
    return Files.createDirectory(TEMPORARY.resolve(namespace));
  }

  /** Ends what still runs in the namespace, and removes it with its folder. What is not there need not be removed. */
  public static void remove(String namespace) {
    if (Files.exists(ALL.resolve(namespace))) {
      killAllIn(namespace);
      run("ip", "netns", "del", namespace);
    }
    if (Files.exists(TEMPORARY.resolve(namespace))) {
      delete(TEMPORARY.resolve(namespace));
    }
  }

  /** @param gone whether the process with this number, which made a namespace, is no more */
  static void removeLeftovers(LongPredicate gone) {
    Stream.of(ALL, TEMPORARY).flatMap(folder -> leftovers(folder, gone).stream()).distinct().forEach(Namespaces::remove);
  }

  private static List<String> leftovers(Path folder, LongPredicate gone) {
    File[] found = folder.toFile().listFiles((_, name) -> {
      Matcher ours = OURS.matcher(name);
      return ours.matches() && gone.test(Long.parseLong(ours.group(1)));
    });
    return found == null ? List.of() : Arrays.stream(found).map(File::getName).toList();
  }

  /** Descendants too: the processes of a container are in a namespace of their own, but what started them is here. */
  private static void killAllIn(String namespace) {
    List<ProcessHandle> here = run("ip", "netns", "pids", namespace).lines().map(Long::parseLong).map(ProcessHandle::of).flatMap(Optional::stream).toList();
    List<ProcessHandle> all = here.stream().flatMap(process -> Stream.concat(Stream.of(process), process.descendants())).toList();
    all.forEach(ProcessHandle::destroyForcibly);
    all.forEach(process -> process.onExit().completeOnTimeout(process, 10, TimeUnit.SECONDS).join()); // the dead wait for who buries them
  }

  private static void delete(Path folder) {
    run("sh", "-c", "grep -o ' " + folder + "/[^ ]*' /proc/self/mounts | sort -r | xargs -r umount -l");
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String run(String... line) {
    try {
      Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes());
      if (process.waitFor() != 0) {
        throw new AssertionError(String.join(" ", line) + ": " + output);
      }
      return output;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }
}
