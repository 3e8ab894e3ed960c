package dev.skep.backend.kafka;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import dev.skep.backend.LogEntry;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.log.v1.LogChanges;
import dev.skep.log.v1.LogRecord;
import dev.skep.log.v1.LogReset;
import dev.skep.log.v1.LogRow;
import dev.skep.log.v1.LogSnapshot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Log entries as the values of Kafka records, cut into slices that fit a broker with default limits. */
final class Frames {
  static final byte CHANGES = 'c';
  static final byte RESET = 'r';
  static final byte SNAPSHOT = 's';

  /** Of a broker's default limit, 1 MiB per batch; headers need some of it. */
  static final int SLICE = 768 << 10;

  private Frames() {}

  static byte kind(LogEntry entry) {
    return switch (entry) {
      case LogEntry.Changes _ -> CHANGES;
      case LogEntry.Reset _ -> RESET;
      case LogEntry.Snapshot _ -> SNAPSHOT;
    };
  }

  static long previous(LogEntry entry) {
    return switch (entry) {
      case LogEntry.Changes changes -> changes.previous();
      case LogEntry.Reset reset -> reset.previous();
      case LogEntry.Snapshot snapshot -> snapshot.revision();
    };
  }

  /** @param earlier for a new epoch: those before it, newest first */
  static byte[] encode(LogEntry entry, List<String> earlier) {
    LogRecord.Builder record = LogRecord.newBuilder();
    switch (entry) {
      case LogEntry.Changes changes -> {
        LogChanges.Builder rows = LogChanges.newBuilder();
        changes.changes().forEach(change -> rows.addRow(row(change)));
        record.setChanges(rows);
      }
      case LogEntry.Reset reset -> {
        LogReset.Builder message = LogReset.newBuilder().setReason(reason(reset.reason()));
        if (!earlier.isEmpty()) {
          message.setPreviousEpoch(earlier.getFirst()).addAllEarlierEpochs(earlier.subList(1, earlier.size()));
        }
        record.setReset(message);
      }
      case LogEntry.Snapshot snapshot -> {
        LogSnapshot.Builder rows = LogSnapshot.newBuilder().setPart(snapshot.part()).setLast(snapshot.last());
        snapshot.rows().forEach(row -> rows.addRow(row(row)));
        record.setSnapshot(rows);
      }
    }
    return record.build().toByteArray();
  }

  private static LogRow row(Store.Change change) {
    LogRow.Builder row = LogRow.newBuilder().setKey(change.key()).setCreateRevision(change.createRevision()).setModifyRevision(change.modRevision());
    if (change.value() == null) {
      row.setDeleted(true);
    } else {
      row.setValue(UnsafeByteOperations.unsafeWrap(change.value()));
    }
    return row.build();
  }

  private static Store.Change change(LogRow row) {
    return new Store.Change(row.getKey(), row.getDeleted() ? null : row.getValue().toByteArray(), row.getCreateRevision(), row.getModifyRevision());
  }

  static List<byte[]> slices(byte[] value) {
    if (value.length <= SLICE) {
      return List.of(value);
    }
    List<byte[]> slices = new ArrayList<>();
    for (int at = 0; at < value.length; at += SLICE) {
      slices.add(Arrays.copyOfRange(value, at, Math.min(value.length, at + SLICE)));
    }
    return slices;
  }

  static LogRecord parse(byte[] value, Mark mark) {
    try {
      return LogRecord.parseFrom(value);
    } catch (InvalidProtocolBufferException e) {
      throw new StoreException("the record at offset " + mark.offset() + " of the event log cannot be read", e);
    }
  }

  static LogEntry decode(byte[] value, Mark mark) {
    LogRecord record = parse(value, mark);
    return switch (record.getKindCase()) {
      case CHANGES -> new LogEntry.Changes(
          mark.epoch(), mark.revision(), mark.previous(), record.getChanges().getRowList().stream().map(Frames::change).toList());
      case RESET -> new LogEntry.Reset(mark.epoch(), mark.revision(), mark.previous(), reason(record.getReset().getReason()));
      case SNAPSHOT -> new LogEntry.Snapshot(mark.epoch(), mark.revision(), record.getSnapshot().getPart(), record.getSnapshot().getLast(),
          record.getSnapshot().getRowList().stream().map(Frames::change).toList());
      case KIND_NOT_SET -> throw new StoreException(
          "the record at offset " + mark.offset() + " of the event log is of a kind that this version does not know: run the newer version");
    };
  }

  private static LogReset.Reason reason(LogEntry.Reason reason) {
    return switch (reason) {
      case FIRST -> LogReset.Reason.FIRST;
      case NEW_EPOCH -> LogReset.Reason.NEW_EPOCH;
      case COMPACTED -> LogReset.Reason.COMPACTED;
    };
  }

  private static LogEntry.Reason reason(LogReset.Reason reason) {
    return switch (reason) {
      case FIRST -> LogEntry.Reason.FIRST;
      case NEW_EPOCH -> LogEntry.Reason.NEW_EPOCH;
      case COMPACTED, UNKNOWN, UNRECOGNIZED -> LogEntry.Reason.COMPACTED;
    };
  }
}
