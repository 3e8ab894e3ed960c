package dev.skep.relay.shell;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Access;
import dev.skep.backend.Backends;
import dev.skep.backend.ChangeLog;
import dev.skep.backend.LogEntry;
import dev.skep.backend.LogHistory;
import dev.skep.backend.StoreException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Follows a log beside the relay that fills it. */
final class LogReading implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 60;

  private final BlockingQueue<ChangeLog.Record> records = new LinkedBlockingQueue<>();
  private final ChangeLog log;
  private final ChangeLog.Subscription subscription;
  private final String uri;

  LogReading(String uri, Supplier<String> epoch) {
    this.uri = uri;
    this.log = Backends.log(uri, null, LogReading::thread, epoch, change -> change);
    this.subscription = log.read(0, records::add);
  }

  static Thread thread(String name, Runnable body) {
    return Thread.ofPlatform().daemon().name(name).start(body);
  }

  /** Returns when the log has come to this revision, as a record or as a snapshot; returns the records since the last call. */
  List<ChangeLog.Record> await(long revision) throws InterruptedException {
    List<ChangeLog.Record> seen = new ArrayList<>();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (end() < revision) {
      ChangeLog.Record record = records.poll(200, TimeUnit.MILLISECONDS);
      if (record != null) {
        seen.add(record);
      }
      assertThat(System.nanoTime() - deadline).as("revision %d within %d s; records: %s", revision, PATIENCE_SECONDS, seen).isNegative();
    }
    return seen;
  }

  private long end() {
    try {
      return log.end();
    } catch (StoreException e) {
      return 0; // the broker is away
    }
  }

  /** Every revision whose changes stand in the log, in order. */
  List<Long> revisions() {
    List<Long> revisions = new ArrayList<>();
    try (LogHistory history = Backends.history(uri, Access.PLAIN)) {
      history.scan(Long.MAX_VALUE, true, entry -> {
        if (entry instanceof LogEntry.Changes changes) {
          revisions.add(changes.revision());
        }
      });
    }
    return revisions;
  }

  @Override
  public void close() {
    subscription.close();
    log.close();
  }
}
