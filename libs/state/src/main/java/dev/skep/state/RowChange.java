package dev.skep.state;

import com.google.protobuf.Message;

/**
 * One row before and after a change; {@code before} is null when the row was created, {@code after} when it was deleted.
 */
public record RowChange(Key<?> key, Row<?> before, Row<?> after) {
  /** The newest value there is, or was: what to ask for the ids that the row speaks about. */
  public Message newest() {
    return after != null ? after.value() : before.value();
  }

  public boolean of(RowKind<?> kind) {
    return key.kind() == kind;
  }
}
