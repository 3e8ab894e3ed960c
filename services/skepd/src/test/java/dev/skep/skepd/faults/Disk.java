package dev.skep.skepd.faults;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file system of its own, small enough to be filled. */
record Disk(Path folder) {
  private static final String SIZE = "240m"; // etcd sets aside two files of 64 MiB for its log

  Disk {
    try {
      Files.createDirectories(folder);
      Shell.run("mount", "-t", "tmpfs", "-o", "size=" + SIZE, "tmpfs", folder.toString());
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Not a byte is left. */
  void fill() throws IOException {
    for (int block = 1 << 20; block >= 1; block >>= 4) {
      try (OutputStream out = Files.newOutputStream(folder.resolve("filler" + block))) {
        for (byte[] zeros = new byte[block];;) {
          out.write(zeros);
        }
      } catch (IOException e) {
        if (!String.valueOf(e.getMessage()).contains("No space left")) {
          throw e;
        }
      }
    }
  }

  void free() throws IOException {
    for (int block = 1 << 20; block >= 1; block >>= 4) {
      Files.deleteIfExists(folder.resolve("filler" + block));
    }
  }
}
