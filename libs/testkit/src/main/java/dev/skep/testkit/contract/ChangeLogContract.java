package dev.skep.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.ChangeLog;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What holds of every {@link ChangeLog}. */
public abstract class ChangeLogContract {
  private static final long PATIENCE_SECONDS = 20;

  protected ChangeLog log;

  /** A log without records. */
  protected abstract ChangeLog open() throws Exception;

  /** Makes one more revision with this change and sees that it is in the log. Returns the revision. */
  protected abstract long add(String key, String value) throws Exception;

  /** Makes the log forget the records before this revision. */
  protected abstract void forgetBefore(long revision) throws Exception;

  /** The epoch that records carry. */
  protected abstract String epoch();

  @BeforeEach
  void openLog() throws Exception {
    log = open();
  }

  @AfterEach
  protected void closeLog() throws Exception {
    log.close();
  }

  private static String line(ChangeLog.Record record) {
    StringBuilder line = new StringBuilder(record.previous() + "-" + record.revision() + ":");
    record.changes().forEach(change -> line.append(' ').append(change.key()).append('=').append(Texts.text(change.value())));
    return line.toString();
  }

  private static ChangeLog.Record next(BlockingQueue<ChangeLog.Record> records) throws InterruptedException {
    ChangeLog.Record record = records.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    assertThat(record).as("a record within " + PATIENCE_SECONDS + " s").isNotNull();
    return record;
  }

  @Test
  protected void recordsComeInOrderFromThePastOn() throws Exception {
    long first = add("a", "1");
    long second = add("a", "2");
    BlockingQueue<ChangeLog.Record> records = new LinkedBlockingQueue<>();
    try (ChangeLog.Subscription subscription = log.read(first, records::add)) {
      assertThat(subscription).isNotNull();
      ChangeLog.Record record = next(records);
      assertThat(line(record)).isEqualTo(first + "-" + second + ": a=2");
      assertThat(record.epoch()).isEqualTo(epoch());
      long third = add("b", "3");
      assertThat(line(next(records))).isEqualTo(second + "-" + third + ": b=3");
    }
  }

  @Test
  protected void theEndIsTheLastRevision() throws Exception {
    assertThat(log.end()).isZero();
    add("a", "1");
    long last = add("b", "1");
    assertThat(log.end()).isEqualTo(last);
  }

  @Test
  protected void everyReaderHasItsOwnPlace() throws Exception {
    long first = add("a", "1");
    long second = add("a", "2");
    BlockingQueue<ChangeLog.Record> fromStart = new LinkedBlockingQueue<>();
    BlockingQueue<ChangeLog.Record> fromFirst = new LinkedBlockingQueue<>();
    try (ChangeLog.Subscription one = log.read(0, fromStart::add); ChangeLog.Subscription two = log.read(first, fromFirst::add)) {
      assertThat(one).isNotSameAs(two);
      assertThat(next(fromStart).revision()).isEqualTo(first);
      assertThat(next(fromStart).revision()).isEqualTo(second);
      assertThat(next(fromFirst).revision()).isEqualTo(second);
    }
  }

  @Test
  protected void aReaderSeesThatThePastIsGone() throws Exception {
    add("a", "1");
    add("a", "2");
    add("a", "3");
    long fourth = add("a", "4");
    forgetBefore(fourth);
    BlockingQueue<ChangeLog.Record> records = new LinkedBlockingQueue<>();
    try (ChangeLog.Subscription subscription = log.read(0, records::add)) {
      assertThat(subscription).isNotNull();
      assertThat(line(next(records))).isEqualTo((fourth - 1) + "-" + fourth + ": a=4");
    }
  }
}
