package dev.skep.runtime.host;

import dev.skep.runtime.identity.Trust;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An identity that another process writes: whoever founded the cluster or joined it, and the agent that renews the
 * certificate. It is looked at every second; its files are replaced as a whole, so each is the old one or the new one.
 */
final class SharedIdentity implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SharedIdentity.class);
  private static final Duration PERIOD = Duration.ofSeconds(1);
  private static final List<String> FILES = List.of("membership.properties", "node.pem", "roots.pem");

  private final BasicHost host;
  private final Path folder;
  private final FileMembership membership;
  private final Trust trust;
  private String seen;
  private String complaint = "";
  private volatile boolean closed;

  SharedIdentity(BasicHost host, Path folder, FileMembership membership, Trust trust) {
    this.host = host;
    this.folder = folder;
    this.membership = membership;
    this.trust = trust;
    this.seen = stamp();
  }

  void follow() {
    host.after(PERIOD, () -> {
      if (!closed) {
        look();
        follow();
      }
    });
  }

  private void look() {
    String now = stamp();
    if (now.equals(seen)) {
      return;
    }
    try {
      trust.refresh(); // first: with a new membership come connections that show the certificate
      membership.refresh();
      seen = now;
      complaint = "";
    } catch (RuntimeException e) { // being written, or not ours to read: the writer is not done, or has to be told
      if (!String.valueOf(e.getMessage()).equals(complaint)) {
        complaint = String.valueOf(e.getMessage());
        LOG.warn("the identity in {} cannot be taken over yet: {}", folder, e.getMessage(), e);
      }
    }
  }

  private String stamp() {
    StringBuilder stamp = new StringBuilder();
    for (String name : FILES) {
      try {
        BasicFileAttributes file = Files.readAttributes(folder.resolve(name), BasicFileAttributes.class);
        stamp.append(name).append(file.lastModifiedTime()).append(file.size()).append(file.fileKey());
      } catch (NoSuchFileException _) {
        stamp.append(name).append('-');
      } catch (IOException e) {
        stamp.append(name).append(e);
      }
    }
    return stamp.toString();
  }

  @Override
  public void close() {
    closed = true;
  }
}
