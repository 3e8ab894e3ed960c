package dev.skep.moving.core;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import com.google.protobuf.UnsafeByteOperations;
import dev.skep.backup.v1.Header;
import dev.skep.backup.v1.Row;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Times;
import dev.skep.state.v1.ClusterRow;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The bytes of a backup file; {@code backup.proto} describes them. What was cut off, changed or is newer is refused. */
public final class BackupFormat {
  private static final int FORMAT = 1;
  private static final byte[] MAGIC = "skep backup\n".getBytes(StandardCharsets.US_ASCII);
  private static final int DIGEST_BYTES = 32;
  private static final String DAMAGED = "it is damaged (its checksum is wrong): use another backup";

  private BackupFormat() {}

  public static byte[] encode(Copy copy) {
    ClusterRow cluster = copy.cluster();
    Header header =
        Header.newBuilder()
            .setFormat(FORMAT)
            .setClusterId(cluster.getId())
            .setEpoch(cluster.getEpoch())
            .setRevision(copy.revision())
            .setCopiedAt(Times.of(copy.copiedAt()))
            .setRows(copy.rows().size())
            .build();
    List<Row> rows = copy.rows().stream().map(BackupFormat::row).toList();
    int size = MAGIC.length + framed(header) + rows.stream().mapToInt(BackupFormat::framed).sum() + DIGEST_BYTES;
    ByteBuffer bytes = ByteBuffer.allocate(size).put(MAGIC);
    put(bytes, header);
    rows.forEach(row -> put(bytes, row));
    return bytes.put(digest(bytes.array(), size - DIGEST_BYTES)).array();
  }

  private static Row row(Stored stored) {
    return Row.newBuilder()
        .setKey(stored.path())
        .setValue(UnsafeByteOperations.unsafeWrap(stored.value()))
        .setCreateRevision(stored.createRevision())
        .setModRevision(stored.modRevision())
        .build();
  }

  private static int framed(MessageLite message) {
    return Integer.BYTES + message.getSerializedSize();
  }

  private static void put(ByteBuffer bytes, MessageLite message) {
    bytes.putInt(message.getSerializedSize()).put(message.toByteArray());
  }

  private static byte[] digest(byte[] bytes, int length) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(bytes, 0, length);
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  public static Verdict<Copy> decode(byte[] bytes) {
    if (bytes.length < MAGIC.length || !Arrays.equals(bytes, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      return Verdict.refused("it is no backup of Skep");
    }
    ByteBuffer left = ByteBuffer.wrap(bytes).position(MAGIC.length);
    try {
      // First the format: whoever wrote a newer one may have changed everything after its number.
      Header header = next(left, Header.parser());
      if (header.getFormat() > FORMAT) {
        return Verdict.refused("it was written by a newer version (format " + header.getFormat() + ", this version knows " + FORMAT + "): use that version");
      }
      int content = bytes.length - DIGEST_BYTES;
      if (content < left.position() || !Arrays.equals(digest(bytes, content), Arrays.copyOfRange(bytes, content, bytes.length))) {
        return Verdict.refused(DAMAGED);
      }
      return rows(header, left.limit(content));
    } catch (InvalidProtocolBufferException | RuntimeException e) {
      return Verdict.refused(DAMAGED);
    }
  }

  private static Verdict<Copy> rows(Header header, ByteBuffer left) throws InvalidProtocolBufferException {
    List<Stored> rows = new ArrayList<>();
    while (left.hasRemaining()) {
      Row row = next(left, Row.parser());
      rows.add(new Stored(row.getKey(), row.getValue().toByteArray(), row.getCreateRevision(), row.getModRevision()));
    }
    if (rows.size() != header.getRows()) {
      return Verdict.refused(DAMAGED);
    }
    return Copy.of(header.getRevision(), rows, Times.of(header.getCopiedAt()));
  }

  private static <T extends MessageLite> T next(ByteBuffer bytes, Parser<T> parser) throws InvalidProtocolBufferException {
    int length = bytes.getInt();
    if (length < 0 || length > bytes.remaining()) {
      throw new InvalidProtocolBufferException("cut off");
    }
    ByteBuffer message = bytes.slice(bytes.position(), length);
    bytes.position(bytes.position() + length);
    return parser.parseFrom(CodedInputStream.newInstance(message));
  }
}
