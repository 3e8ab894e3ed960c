package dev.skep.moving.shell;

import dev.skep.moving.core.BackupFormat;
import dev.skep.moving.core.Copy;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/** A copy on the disk: written as a whole, durable, for its owner's eyes only. */
final class BackupFile {
  private BackupFile() {}

  /** In place of a file of that name; that one stays until the new one is complete. */
  static void write(Path file, Copy copy) throws Refusal {
    Path folder = file.toAbsolutePath().getParent();
    if (!Files.isDirectory(folder)) {
      throw new Refusal("there is no folder " + folder);
    }
    Path fresh = folder.resolve("." + file.getFileName() + ".new");
    try {
      Files.deleteIfExists(fresh);
      Files.createFile(fresh, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
        ByteBuffer bytes = ByteBuffer.wrap(BackupFormat.encode(copy));
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        channel.force(true);
      }
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
      try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
        directory.force(true);
      }
    } catch (IOException e) {
      throw new Refusal("cannot write " + file + " (" + e + ")");
    } finally {
      fresh.toFile().delete();
    }
  }

  static Copy read(Path file) throws Refusal {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new Refusal("cannot read " + file + " (" + e + ")");
    }
    return Refusal.unless(file + " is not taken", BackupFormat.decode(bytes));
  }
}
