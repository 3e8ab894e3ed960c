package dev.skep.backend.embedded;

import dev.skep.backend.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/** The right of this process to the store's folder. The kernel takes it back when the process ends, however it ends. */
final class FolderLock implements AutoCloseable {
  private final FileChannel channel;
  private final FileLock lock;

  private FolderLock(FileChannel channel, FileLock lock) {
    this.channel = channel;
    this.lock = lock;
  }

  /** Makes the folder and takes it, or says who has it. */
  static FolderLock take(Path folder) {
    FileChannel channel = open(folder);
    try {
      FileLock lock = channel.tryLock(Long.MAX_VALUE - 1, 1, false); // a byte far behind the text, which stays readable
      if (lock != null) {
        channel.truncate(0);
        channel.write(ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII)), 0);
        return new FolderLock(channel, lock);
      }
    } catch (OverlappingFileLockException e) {
      // this very process has it: the pid in the file says so
    } catch (IOException e) {
      close(channel);
      throw unusable(folder, e);
    }
    String holder = holder(folder);
    close(channel);
    throw new StoreException("the store in " + folder + " is in use by " + holder
        + "; one process owns it: stop that one first, or choose another data folder");
  }

  private static FileChannel open(Path folder) {
    try {
      Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      return FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw unusable(folder, e);
    }
  }

  static StoreException unusable(Path folder, IOException cause) {
    return new StoreException("cannot keep the store in " + folder + " (" + cause + "): the folder must be writable for "
        + System.getProperty("user.name") + ", on a disk that is not mounted read-only and has space left", cause);
  }

  private static String holder(Path folder) {
    try {
      String pid = Files.readString(folder.resolve("lock")).strip();
      return pid.isEmpty() ? "another process" : "process " + pid;
    } catch (IOException e) {
      return "another process";
    }
  }

  private static void close(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      throw new StoreException("cannot close the lock file", e);
    }
  }

  @Override
  public void close() {
    try {
      lock.release();
    } catch (IOException e) {
      throw new StoreException("cannot release the lock file", e);
    } finally {
      close(channel);
    }
  }
}
