package dev.skep.testkit.net;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where a server of a test runs.
 *
 * @param address at which it is reached
 * @param enter what stands before its command, to get there: empty, or the way into a network namespace
 * @param folder for its files, on a file system of the test's choice; empty: a temporary one
 */
public record Site(String address, List<String> enter, Optional<Path> folder) {
  /** This machine's loopback. */
  public static final Site LOOPBACK = new Site("127.0.0.1", List.of(), Optional.empty());

  public Site {
    enter = List.copyOf(enter);
  }

  /** A folder that belongs to the server alone. */
  public Path newFolder(String prefix) throws IOException {
    return folder.isPresent() ? Files.createTempDirectory(folder.get(), prefix) : Files.createTempDirectory(prefix);
  }

  /** The command as it runs there. */
  public List<String> command(List<String> there) {
    List<String> whole = new ArrayList<>(enter);
    whole.addAll(there);
    return whole;
  }
}
