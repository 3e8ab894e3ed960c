package dev.skep.backend.embedded;

import dev.skep.backend.StoreException;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import org.sqlite.SQLiteJDBCLoader;

/**
 * SQLite's own code. Its driver unpacks it to a file (1 MB) among the temporary ones and removes that when the process ends
 * in order; a process that is killed would leave one each time. Once loaded, the file is not needed.
 */
final class NativeLibrary {
  private static final String WHERE = "org.sqlite.tmpdir";
  private static boolean loaded;

  private NativeLibrary() {}

  static synchronized void load() {
    if (loaded) {
      return;
    }
    String parent = System.getProperty(WHERE, System.getProperty("java.io.tmpdir"));
    try {
      Path folder = Files.createTempDirectory(Path.of(parent), "skep-sqlite");
      System.setProperty(WHERE, folder.toString());
      try {
        SQLiteJDBCLoader.initialize();
      } finally {
        for (File file : folder.toFile().listFiles()) {
          Files.delete(file.toPath());
        }
        Files.delete(folder);
      }
    } catch (Exception e) {
      throw new StoreException("SQLite's library could not be loaded: it is unpacked below " + parent + " and run from there", e);
    }
    loaded = true;
  }
}
