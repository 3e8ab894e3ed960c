package dev.skep.runtime.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class StderrLoggingTest {
  @Test
  void logbackFindsOurSetUp() {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    assertThat(context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).getLevel()).isEqualTo(Level.WARN);
    assertThat(context.getLogger("dev.skep.x").getEffectiveLevel()).isEqualTo(Level.INFO);
  }

  @Test
  void whatTheJdksOwnLoggingIsToldComesHereToo() {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    ListAppender<ILoggingEvent> seen = new ListAppender<>();
    seen.start();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.addAppender(seen);
    try {
      java.util.logging.Logger.getLogger("io.grpc.Thing").warning("of interest");
      java.util.logging.Logger.getLogger("io.grpc.internal.ManagedChannelImpl").warning("with every try to find a name");
    } finally {
      root.detachAppender(seen);
    }
    assertThat(seen.list).extracting(ILoggingEvent::getLevel, ILoggingEvent::getMessage).containsExactly(tuple(Level.WARN, "of interest"));
  }

  @Test
  void anEventIsOneLineWithItsException() {
    Logger logger = ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger("dev.skep.runtime.Thing");
    Exception bad = new IllegalStateException("bad", new RuntimeException("worse"));
    LoggingEvent event = new LoggingEvent("x", logger, Level.WARN, "two\nlines", bad, null);
    event.setInstant(java.time.Instant.parse("2026-11-21T03:00:00.001Z"));
    event.setThreadName("main");
    String line = new LineLayout().doLayout(event);
    assertThat(line).startsWith("2026-11-21T03:00:00.001Z WARN  main Thing: two | lines | java.lang.IllegalStateException: bad | ")
        .contains("java.lang.RuntimeException: worse").endsWith("\n");
    assertThat(line.strip()).doesNotContain("\n");
  }
}
