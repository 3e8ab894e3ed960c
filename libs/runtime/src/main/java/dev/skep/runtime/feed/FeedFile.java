package dev.skep.runtime.feed;

import dev.skep.feed.v1.FeedUpdate;
import dev.skep.state.FeedState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/** The last known feed on disk, so that a restart or a reboot without any manager serves what was served before. */
public final class FeedFile {
  private final Path file;

  public FeedFile(Path file) {
    this.file = file;
  }

  /** Empty when there is none or when it is damaged: then the feed comes from the agent. */
  public FeedState read() throws IOException {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (NoSuchFileException none) {
      return FeedState.empty();
    }
    if (bytes.length < 4) {
      return FeedState.empty();
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    int sum = buffer.getInt();
    ByteBuffer body = buffer.slice();
    if (sum != checksum(body.duplicate())) {
      return FeedState.empty();
    }
    return switch (FeedState.empty().apply(FeedUpdate.parseFrom(body))) {
      case FeedState.Outcome.Moved moved -> moved.state();
      case FeedState.Outcome.Stale stale -> FeedState.empty();
      case FeedState.Outcome.NeedsComplete gap -> FeedState.empty();
    };
  }

  /** Writes beside and renames, so that a reader finds the old or the new feed and nothing between. */
  public void write(FeedState state) throws IOException {
    ByteBuffer body = ByteBuffer.wrap(state.toUpdate().toByteArray());
    ByteBuffer head = ByteBuffer.allocate(4).putInt(0, checksum(body.duplicate()));
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try (FileChannel channel =
        FileChannel.open(fresh, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
      while (head.hasRemaining()) {
        channel.write(head);
      }
      while (body.hasRemaining()) {
        channel.write(body);
      }
      channel.force(true);
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private static int checksum(ByteBuffer body) {
    CRC32C sum = new CRC32C();
    sum.update(body);
    return (int) sum.getValue();
  }
}
