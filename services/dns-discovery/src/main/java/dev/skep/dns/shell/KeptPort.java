package dev.skep.dns.shell;

import dev.skep.runtime.net.Handover;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The port that the resolver listens on: chosen once, above what the kernel and swarm mode hand out by themselves, and
 * kept, so that the node's redirects stay right across restarts.
 */
public final class KeptPort {
  private static final Logger LOG = LoggerFactory.getLogger(KeptPort.class);
  private static final int LOWEST = 61_000;
  private static final int HIGHEST = 65_500;
  private static final int ATTEMPTS = 200;

  private final Path file;

  public KeptPort(Path file) {
    this.file = file;
  }

  /** Listens on the kept port, or on a new one when a stranger holds that; says which. */
  public int listen(DnsServer server, Handover handover) throws IOException, InterruptedException {
    int kept = read();
    if (kept != 0) {
      try {
        server.listen(kept, handover);
        return kept;
      } catch (IOException held) {
        LOG.warn("port {} is held by another program, choosing a new one: {}", kept, held.toString());
      }
    }
    IOException last = null;
    for (int n = 0; n < ATTEMPTS; n++) {
      int port = ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST);
      try {
        server.listen(port, handover);
        Files.writeString(file, Integer.toString(port));
        return port;
      } catch (IOException held) {
        last = held;
      }
    }
    throw new IOException("no free port between " + LOWEST + " and " + HIGHEST, last);
  }

  private int read() throws IOException {
    try {
      int port = Integer.parseInt(Files.readString(file).strip());
      return port > 0 && port < 65_536 ? port : 0;
    } catch (NoSuchFileException | NumberFormatException none) {
      return 0;
    }
  }
}
