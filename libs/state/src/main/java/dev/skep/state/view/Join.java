package dev.skep.state.view;

import com.google.protobuf.Timestamp;
import dev.skep.api.v1.Version;
import dev.skep.state.Row;

/** What every view does with several rows: the highest revision, the latest time. */
final class Join {
  private Join() {}

  /** The highest revision of the rows; those that do not exist are null. */
  static Version version(Row<?>... rows) {
    long highest = 0;
    for (Row<?> row : rows) {
      if (row != null) {
        highest = Math.max(highest, row.modRevision());
      }
    }
    return Version.newBuilder().setIndex(highest).build();
  }

  static Timestamp later(Timestamp a, Timestamp b) {
    if (a.getSeconds() != b.getSeconds()) {
      return a.getSeconds() > b.getSeconds() ? a : b;
    }
    return a.getNanos() >= b.getNanos() ? a : b;
  }
}
