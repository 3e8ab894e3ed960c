package dev.skep.backend.kafka;

import dev.skep.backend.ChangeLog;
import dev.skep.backend.LogEntry;
import dev.skep.backend.LogWriter;
import dev.skep.backend.Threads;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/** The event log of a cluster: topic {@code skep.changes}, one partition. The relay writes it; everybody may read it. */
public final class KafkaChangeLog implements ChangeLog {
  private final KafkaConfig config;
  private final Threads threads;
  private final Supplier<String> epoch;
  private final KafkaLogWriter writer;
  private final KafkaHistory eyes;
  private final ReentrantLock writing = new ReentrantLock();
  private final Set<KafkaReader> readers = ConcurrentHashMap.newKeySet();
  private final AtomicInteger count = new AtomicInteger();

  /** @param epoch the one to read; empty: whichever the topic ends with */
  public KafkaChangeLog(KafkaConfig config, Threads threads, Supplier<String> epoch) {
    this.config = config;
    this.threads = threads;
    this.epoch = epoch;
    this.writer = new KafkaLogWriter(config);
    this.eyes = new KafkaHistory(config);
  }

  /** Claims the log first when this process has not yet, or lost it: then what landed is not appended again. */
  @Override
  public void append(Record record) {
    writing.lock();
    try {
      if (!writer.claimed()) {
        LogWriter.End end = writer.claim(record.epoch());
        if (end.epoch().equals(record.epoch()) && end.revision() >= record.revision()) {
          return;
        }
      }
      writer.append(List.of(new LogEntry.Changes(record.epoch(), record.revision(), record.previous(), record.changes())));
    } finally {
      writing.unlock();
    }
  }

  @Override
  public Subscription read(long afterRevision, Reader reader) {
    KafkaReader follower = new KafkaReader(config, epoch, afterRevision, reader);
    readers.add(follower);
    threads.start("log-reader-" + count.incrementAndGet(), () -> {
      try {
        follower.run();
      } finally {
        readers.remove(follower);
      }
    });
    return follower;
  }

  /** Of the epoch asked for: a log that ends with another one holds nothing of ours. */
  @Override
  public long end() {
    String wanted = epoch.get();
    return eyes.last().filter(mark -> wanted.isEmpty() || wanted.equals(mark.epoch())).map(Mark::revision).orElse(0L);
  }

  @Override
  public void close() {
    readers.forEach(KafkaReader::close);
    writer.close();
    eyes.close();
  }
}
