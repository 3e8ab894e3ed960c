package dev.skep.backend.kafka;

import dev.skep.backend.LogEntry;
import dev.skep.backend.LogWriter;
import dev.skep.backend.StoreException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.header.Headers;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the topic in transactions, as the one producer of its transactional id. A claim fences the producer before it,
 * lets the coordinator end what that one had under way, and reads the topic's end. After any failure the producer is
 * thrown away: only a claim says what landed.
 */
public final class KafkaLogWriter implements LogWriter {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaLogWriter.class);
  private static final int MOST_EPOCHS = 32;

  /**
   * What the next record's headers need.
   *
   * @param opened offset of the epoch's first record
   * @param base offset of the newest complete snapshot, {@link Mark#NONE} while there is none
   * @param building offset of the first record of a snapshot that is being written
   * @param earlier epochs before this one, newest first
   */
  private record Tip(String epoch, long revision, long opened, long base, long based, long building, List<String> earlier) {
    static final Tip NOTHING = new Tip("", 0, Mark.NONE, Mark.NONE, 0, Mark.NONE, List.of());

    End end() {
      return new End(epoch, revision, base != Mark.NONE, Instant.ofEpochMilli(based));
    }
  }

  private final KafkaConfig config;
  private List<String> said = List.of();
  private Tip tip = Tip.NOTHING;
  private volatile KafkaProducer<byte[], byte[]> producer; // null: not claimed
  private volatile boolean closed;

  public KafkaLogWriter(KafkaConfig config) {
    this.config = config;
  }

  @Override
  public End claim(String epoch) {
    release();
    try {
      warn(Topic.ensure(config));
      refuseSucceeded(epoch, read());
      KafkaProducer<byte[], byte[]> fresh = Clients.producer(config);
      producer = fresh;
      if (closed) {
        throw new StoreException("the log's writer is closed");
      }
      fresh.initTransactions();
      tip = read();
      refuseSucceeded(epoch, tip);
      return tip.end();
    } catch (KafkaException | IllegalStateException e) {
      release();
      throw failed("claim", e);
    } catch (RuntimeException e) {
      release();
      throw e;
    }
  }

  /** Does all that a relay does, and takes it back. */
  public void rehearse() {
    claim("");
    KafkaProducer<byte[], byte[]> mine = producer;
    try {
      mine.beginTransaction();
      offset(mine.send(new ProducerRecord<>(config.topic(), 0, null, null, new byte[0])));
      mine.abortTransaction();
    } catch (KafkaException | IllegalStateException e) {
      throw failed("write", e);
    } finally {
      release();
    }
  }

  private void warn(List<String> poor) {
    if (!poor.equals(said)) {
      said = poor;
      poor.forEach(one -> LOG.warn("{}: {}", config.place(), one));
    }
  }

  boolean claimed() {
    return producer != null;
  }

  /** After the claim nothing is under way any more: the last record that readers see is the last there is. */
  private Tip read() {
    try (TopicCursor cursor = TopicCursor.looking(config)) {
      Optional<Mark> last = cursor.last();
      if (last.isEmpty()) {
        return Tip.NOTHING;
      }
      Mark mark = last.get();
      return new Tip(mark.epoch(), mark.revision(), mark.opened(), mark.base(), mark.based(), Mark.NONE, earlier(cursor, mark.opened()));
    }
  }

  private static List<String> earlier(TopicCursor cursor, long opened) {
    if (opened < cursor.begin()) {
      return List.of();
    }
    Optional<ConsumerRecord<byte[], byte[]>> first = cursor.at(opened, cursor.end());
    Optional<Mark> mark = first.flatMap(Mark::of);
    if (mark.isEmpty() || mark.get().kind() != Frames.RESET) {
      return List.of();
    }
    var reset = Frames.parse(first.get().value(), mark.get()).getReset();
    List<String> earlier = new ArrayList<>();
    if (!reset.getPreviousEpoch().isEmpty()) {
      earlier.add(reset.getPreviousEpoch());
    }
    earlier.addAll(reset.getEarlierEpochsList());
    return List.copyOf(earlier);
  }

  @Override
  public End append(List<LogEntry> entries) {
    KafkaProducer<byte[], byte[]> mine = producer;
    if (mine == null) {
      throw new StoreException("the log was not claimed, or lost since");
    }
    try {
      Tip next = tip;
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      mine.beginTransaction();
      for (LogEntry entry : entries) {
        next = send(mine, entry, next, sent);
      }
      for (Future<RecordMetadata> one : sent) {
        offset(one); // so that the failure that is told is the first one's
      }
      mine.commitTransaction();
      tip = next;
      return next.end();
    } catch (KafkaException | IllegalStateException e) {
      release();
      throw failed("append to", e);
    } catch (RuntimeException e) {
      release();
      throw e;
    }
  }

  private Tip send(KafkaProducer<byte[], byte[]> mine, LogEntry entry, Tip before, List<Future<RecordMetadata>> sent) {
    boolean opens = !entry.epoch().equals(before.epoch);
    List<String> earlier = opens ? earlier(before) : before.earlier;
    refuseSucceeded(entry.epoch(), before);
    boolean reset = entry instanceof LogEntry.Reset;
    boolean begins = entry instanceof LogEntry.Snapshot snapshot && snapshot.part() == 0 && before.building == Mark.NONE;
    boolean completes = entry instanceof LogEntry.Snapshot snapshot && snapshot.last() && (begins || before.building != Mark.NONE);
    Tip tipNow = new Tip(entry.epoch(), entry.revision(), opens ? Mark.NONE : before.opened, opens || reset ? Mark.NONE : before.base,
        opens || reset ? 0 : before.based, entry instanceof LogEntry.Changes || reset ? Mark.NONE : before.building, earlier);
    if (completes && !begins) {
      tipNow = based(tipNow);
    }
    List<byte[]> slices = Frames.slices(Frames.encode(entry, opens ? earlier : List.of()));
    for (int i = 0; i < slices.size(); i++) {
      Mark mark = new Mark(Mark.NONE, entry.epoch(), entry.revision(), Frames.previous(entry), Frames.kind(entry), i + 1, slices.size(),
          tipNow.opened, tipNow.base, tipNow.based);
      Future<RecordMetadata> future = mine.send(record(mark.headers(), slices.get(i)));
      sent.add(future);
      if (i == 0 && (opens || reset || begins)) {
        tipNow = placed(tipNow, offset(future), opens, reset || begins);
      }
    }
    return completes && begins ? based(tipNow) : tipNow;
  }

  private void refuseSucceeded(String epoch, Tip end) {
    if (end.earlier.contains(epoch)) {
      throw new StoreException(config.place() + " goes on with epoch " + end.epoch + ", which came after " + epoch
          + ": another cluster writes there now; give this one a topic of its own");
    }
  }

  private static List<String> earlier(Tip before) {
    if (before.epoch.isEmpty()) {
      return List.of();
    }
    List<String> earlier = new ArrayList<>(List.of(before.epoch));
    earlier.addAll(before.earlier);
    return List.copyOf(earlier.subList(0, Math.min(MOST_EPOCHS, earlier.size())));
  }

  private static Tip placed(Tip tip, long offset, boolean opens, boolean begins) {
    return new Tip(tip.epoch, tip.revision, opens ? offset : tip.opened, tip.base, tip.based, begins ? offset : tip.building, tip.earlier);
  }

  private static Tip based(Tip tip) {
    return new Tip(tip.epoch, tip.revision, tip.opened, tip.building, System.currentTimeMillis(), Mark.NONE, tip.earlier);
  }

  private ProducerRecord<byte[], byte[]> record(Headers headers, byte[] value) {
    return new ProducerRecord<>(config.topic(), 0, null, null, value, headers);
  }

  private static long offset(Future<RecordMetadata> future) {
    try {
      return future.get(2 * Clients.PATIENCE.toNanos(), TimeUnit.NANOSECONDS).offset();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof KafkaException known ? known : new KafkaException(e.getCause());
    } catch (TimeoutException e) {
      throw new KafkaException("the brokers did not take a record within " + 2 * Clients.PATIENCE.toSeconds() + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KafkaException("interrupted while a record was sent", e);
    }
  }

  private StoreException failed(String what, RuntimeException cause) {
    for (Throwable one = cause; one != null; one = one.getCause()) {
      if (one instanceof ProducerFencedException || one instanceof InvalidProducerEpochException) {
        return new FencedException("another relay has claimed " + config.place() + ", or this one was away for too long: nothing was appended", cause);
      }
    }
    return Plight.of("cannot " + what + " the event log", config, cause);
  }

  /** Gives the producer up. A transaction that it had open is ended by the next claim, or by its time-out. */
  private void release() {
    KafkaProducer<byte[], byte[]> mine = producer;
    producer = null;
    if (mine != null) {
      mine.close(java.time.Duration.ZERO);
    }
  }

  @Override
  public void close() {
    closed = true;
    release();
  }
}
