package dev.skep.testkit.kafka;

import dev.skep.backend.ChangeLog;
import dev.skep.testkit.contract.ChangeLogContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

@Tag("slow")
class KafkaChangeLogTest extends ChangeLogContract {
  private static KafkaServer server;

  private LogTopic topic;
  private long revision;

  @BeforeAll
  static void startServer() {
    server = KafkaServer.start();
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  @Override
  protected ChangeLog open() {
    topic = new LogTopic(server);
    return topic.open(this::epoch);
  }

  @Override
  protected long add(String key, String value) {
    long previous = revision++;
    log.append(LogTopic.record(epoch(), revision, previous, LogTopic.change(key, value, revision)));
    return revision;
  }

  @Override
  protected void forgetBefore(long before) throws Exception {
    topic.deleteBefore(before);
  }

  @Override
  protected String epoch() {
    return "epoch-1";
  }
}
