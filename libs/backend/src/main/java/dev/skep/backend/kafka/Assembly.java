package dev.skep.backend.kafka;

import java.io.ByteArrayOutputStream;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Puts slices together again. What begins in the middle, because the rest was deleted by age, is passed over. */
final class Assembly {
  /** A whole value and the headers of its last slice. */
  record Whole(Mark mark, byte[] value) {}

  private final ByteArrayOutputStream value = new ByteArrayOutputStream();
  private int next = 1;

  /** The record's value when it is whole with this slice. */
  Optional<Whole> add(ConsumerRecord<byte[], byte[]> record) {
    Optional<Mark> mark = Mark.of(record);
    if (mark.isEmpty()) {
      return Optional.empty(); // nobody but the relay writes here: not ours to read
    }
    if (mark.get().slices() == 1) {
      next = 1;
      return Optional.of(new Whole(mark.get(), record.value()));
    }
    if (mark.get().first()) {
      value.reset();
      next = 1;
    }
    if (mark.get().slice() != next) {
      return Optional.empty();
    }
    value.writeBytes(record.value());
    next++;
    if (!mark.get().last()) {
      return Optional.empty();
    }
    byte[] whole = value.toByteArray();
    value.reset();
    next = 1;
    return Optional.of(new Whole(mark.get(), whole));
  }
}
