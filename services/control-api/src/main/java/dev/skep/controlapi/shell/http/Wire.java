package dev.skep.controlapi.shell.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Arrays;

/**
 * One connection: bytes in with look-ahead, bytes out. Reads and writes block the virtual thread that asks; a deadline
 * is kept by whoever closes the wires that are past theirs, because a blocking channel has no time-out of its own.
 */
public final class Wire implements AutoCloseable {
  private static final int FIRST_BUFFER = 4 << 10; // small: a thousand idle connections must cost nothing
  private static final long NONE = Long.MAX_VALUE;

  private final SocketChannel channel;
  private byte[] buffer = new byte[FIRST_BUFFER];
  private int start;
  private int end;
  private volatile long deadline = NONE; // in nanoseconds since the wire was opened
  private final long opened = System.nanoTime();

  public Wire(SocketChannel channel) {
    this.channel = channel;
  }

  /** From now on the wire is closed when it is still the same request's turn after this time. */
  public void within(Duration limit) {
    deadline = System.nanoTime() - opened + limit.toNanos();
  }

  public void withoutLimit() {
    deadline = NONE;
  }

  boolean overdue() {
    return System.nanoTime() - opened > deadline;
  }

  /** Bytes that were read and not taken yet. */
  int available() {
    return end - start;
  }

  byte at(int index) {
    return buffer[start + index];
  }

  /** Takes that many of the available bytes. */
  byte[] take(int count) {
    byte[] bytes = Arrays.copyOfRange(buffer, start, start + count);
    skip(count);
    return bytes;
  }

  void skip(int count) {
    start += count;
    if (start == end) {
      start = 0;
      end = 0;
      if (buffer.length > FIRST_BUFFER) {
        buffer = new byte[FIRST_BUFFER];
      }
    }
  }

  /** Reads more, however much there is; false at the end of the stream. */
  boolean fill() throws IOException {
    if (end == buffer.length) {
      if (start > 0) {
        System.arraycopy(buffer, start, buffer, 0, end - start);
        end -= start;
        start = 0;
      } else {
        buffer = Arrays.copyOf(buffer, buffer.length * 2);
      }
    }
    int read = channel.read(ByteBuffer.wrap(buffer, end, buffer.length - end));
    if (read < 0) {
      return false;
    }
    end += read;
    return true;
  }

  /** Takes up to so many bytes: those at hand, else the next that come. -1 at the end of the stream. */
  public int read(byte[] into, int offset, int length) throws IOException {
    if (available() == 0) {
      return channel.read(ByteBuffer.wrap(into, offset, length));
    }
    int count = Math.min(length, available());
    System.arraycopy(buffer, start, into, offset, count);
    skip(count);
    return count;
  }

  public void write(byte[] bytes) throws IOException {
    write(bytes, 0, bytes.length);
  }

  public void write(byte[] bytes, int offset, int length) throws IOException {
    ByteBuffer source = ByteBuffer.wrap(bytes, offset, length);
    while (source.hasRemaining()) {
      channel.write(source);
    }
  }

  /** Says that nothing more will be written; reading goes on. */
  public void endOutput() throws IOException {
    channel.shutdownOutput();
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException _) { // closing is all we wanted, and there is nobody left to tell
      deadline = NONE;
    }
  }
}
