package dev.skep.runtime.identity;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Set;

/** Files that only their owner may read, and that are replaced as a whole: the old one or the new one, also after a power cut. */
final class PrivateFile {
  private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");

  private static final Set<PosixFilePermission> FOLDER = PosixFilePermissions.fromString("rwx------");

  private PrivateFile() {}

  static void replace(Path file, byte[] content) throws IOException {
    Files.createDirectories(file.getParent(), PosixFilePermissions.asFileAttribute(FOLDER));
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(fresh);
    Files.createFile(fresh, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
    keepOwner(fresh);
    try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(content);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    try (FileChannel folder = FileChannel.open(file.getParent(), StandardOpenOption.READ)) {
      folder.force(true);
    }
  }

  /** What root writes into another user's folder that user must be able to read: services that share an identity are not root. */
  private static void keepOwner(Path fresh) throws IOException {
    UserPrincipal owner = Files.getOwner(fresh.getParent());
    if (!owner.equals(Files.getOwner(fresh))) {
      try {
        Files.setOwner(fresh, owner);
      } catch (FileSystemException _) { // not root: then this user's it stays
        return;
      }
    }
  }

  /** A file that others may read is refused: it may have been read. */
  static byte[] read(Path file) throws IOException {
    if (!OWNER_ONLY.equals(Files.getPosixFilePermissions(file, LinkOption.NOFOLLOW_LINKS))) {
      throw new IOException(file + " must be readable by its owner only (chmod 600)");
    }
    return Files.readAllBytes(file);
  }
}
