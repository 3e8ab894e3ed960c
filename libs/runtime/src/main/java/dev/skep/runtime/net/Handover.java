package dev.skep.runtime.net;

import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * Whether a port may be bound with SO_REUSEPORT. That option alone would let two edges of different clusters on one
 * machine share a port without a word. So a port that somebody holds is shared only if the holder is this component's
 * own predecessor: the process that the data folder names.
 */
public final class Handover {
  private final long predecessor;

  private Handover(long predecessor) {
    this.predecessor = predecessor;
  }

  /** Reads who was here before, and puts this process in its place. */
  public static Handover take(Path folder) throws IOException {
    Path file = folder.resolve("pid");
    long before = 0;
    try {
      before = Long.parseLong(Files.readString(file).strip());
    } catch (NoSuchFileException | NumberFormatException none) {
      before = 0;
    }
    Files.writeString(file, Long.toString(ProcessHandle.current().pid()));
    return new Handover(before);
  }

  /** Throws when somebody else holds the port. */
  public void check(String protocol, int port) throws IOException {
    boolean udp = protocol.equals("udp");
    Socket probe = udp ? Socket.newSocketDgram() : Socket.newSocketStream();
    try {
      if (!udp) {
        probe.setReuseAddress(true); // connections in TIME_WAIT do not count
      }
      probe.bind(new InetSocketAddress(port));
    } catch (IOException held) {
      if (!(held instanceof BindException || held.getMessage().contains("(-98)")) || !heldByPredecessor(protocol, port)) {
        throw held;
      }
    } finally {
      probe.close();
    }
  }

  private boolean heldByPredecessor(String protocol, int port) throws IOException {
    if (predecessor == 0) {
      return false;
    }
    Set<String> holders = new HashSet<>();
    holders.addAll(inodes(Path.of("/proc/self/net/" + protocol), protocol, port));
    holders.addAll(inodes(Path.of("/proc/self/net/" + protocol + "6"), protocol, port));
    return !holders.isEmpty() && sockets(predecessor).containsAll(holders);
  }

  private static Set<String> inodes(Path table, String protocol, int port) throws IOException {
    String waiting = protocol.equals("udp") ? "07" : "0A"; // unconnected, listening
    String suffix = String.format(":%04X", port);
    Set<String> found = new HashSet<>();
    try {
      for (String line : Files.readAllLines(table)) {
        String[] field = line.strip().split("\\s+");
        if (field.length > 9 && field[1].endsWith(suffix) && field[3].equals(waiting)) {
          found.add("socket:[" + field[9] + "]");
        }
      }
    } catch (NoSuchFileException noSuchFamily) {
      return found;
    }
    return found;
  }

  private static Set<String> sockets(long pid) throws IOException {
    Set<String> found = new HashSet<>();
    try (DirectoryStream<Path> links = Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
      for (Path link : links) {
        try {
          found.add(Files.readSymbolicLink(link).toString());
        } catch (NoSuchFileException closedMeanwhile) {
          continue;
        }
      }
    } catch (NoSuchFileException ended) {
      return found;
    }
    return found;
  }
}
