package dev.skep.backend.kafka;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;

/**
 * What a record's headers say; log.proto describes them.
 *
 * @param offset where it stands
 * @param kind 'c', 'r' or 's'
 * @param slice from 1
 * @param opened where its epoch begins: its own offset on the first record
 * @param base where a replay can begin; {@link #NONE} while there is no such place
 * @param based when the base was complete, in milliseconds
 */
record Mark(long offset, String epoch, long revision, long previous, byte kind, int slice, int slices, long opened, long base, long based) {
  static final long NONE = -1;

  private static final String EPOCH = "epoch";
  private static final String REVISION = "revision";
  private static final String PREVIOUS = "previous";
  private static final String KIND = "kind";
  private static final String SLICE = "slice";
  private static final String OPENED = "opened";
  private static final String BASE = "base";

  boolean first() {
    return slice == 1;
  }

  boolean last() {
    return slice == slices;
  }

  /** Empty for a record that no relay wrote. */
  static Optional<Mark> of(ConsumerRecord<byte[], byte[]> record) {
    Headers headers = record.headers();
    Header epoch = headers.lastHeader(EPOCH);
    Header kind = headers.lastHeader(KIND);
    long revision = number(headers, REVISION, 0, NONE);
    if (epoch == null || kind == null || kind.value().length != 1 || revision == NONE) {
      return Optional.empty();
    }
    return Optional.of(new Mark(record.offset(), new String(epoch.value(), StandardCharsets.UTF_8), revision, number(headers, PREVIOUS, 0, 0),
        kind.value()[0], (int) number(headers, SLICE, 0, 1), (int) number(headers, SLICE, 1, 1), number(headers, OPENED, 0, record.offset()),
        number(headers, BASE, 0, NONE), number(headers, BASE, 1, 0)));
  }

  private static long number(Headers headers, String name, int index, long otherwise) {
    Header header = headers.lastHeader(name);
    if (header == null || header.value().length < (index + 1) * Long.BYTES) {
      return otherwise;
    }
    return ByteBuffer.wrap(header.value()).getLong(index * Long.BYTES);
  }

  /** The headers of a record that is yet to be written: {@link #offset} does not count, {@code opened} may be {@link #NONE}. */
  Headers headers() {
    RecordHeaders headers = new RecordHeaders();
    headers.add(EPOCH, epoch.getBytes(StandardCharsets.UTF_8));
    headers.add(REVISION, bytes(revision));
    headers.add(PREVIOUS, bytes(previous));
    headers.add(KIND, new byte[] {kind});
    if (slices > 1) {
      headers.add(SLICE, bytes(slice, slices));
    }
    if (opened != NONE) {
      headers.add(OPENED, bytes(opened));
    }
    if (base != NONE) {
      headers.add(BASE, bytes(base, based));
    }
    return headers;
  }

  private static byte[] bytes(long... numbers) {
    ByteBuffer bytes = ByteBuffer.allocate(numbers.length * Long.BYTES);
    for (long number : numbers) {
      bytes.putLong(number);
    }
    return bytes.array();
  }
}
