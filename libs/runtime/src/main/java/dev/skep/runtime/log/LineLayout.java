package dev.skep.runtime.log;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import ch.qos.logback.core.LayoutBase;
import java.time.format.DateTimeFormatter;
import java.time.ZoneOffset;

/** {@code 2026-11-21T03:30:12.345Z INFO  loop-scheduler ThreadedLoop: text}; an exception follows on the same line. */
final class LineLayout extends LayoutBase<ILoggingEvent> {
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSX").withZone(ZoneOffset.UTC);

  @Override
  public String doLayout(ILoggingEvent event) {
    StringBuilder line = new StringBuilder(160);
    TIME.formatTo(event.getInstant(), line);
    String level = event.getLevel().toString();
    line.append(' ').append(level).append(level.length() < 5 ? "  " : " ");
    line.append(event.getThreadName()).append(' ');
    String logger = event.getLoggerName();
    line.append(logger, logger.lastIndexOf('.') + 1, logger.length()).append(": ");
    append(line, event.getFormattedMessage());
    for (IThrowableProxy cause = event.getThrowableProxy(); cause != null; cause = cause.getCause()) {
      line.append(" | ").append(cause.getClassName()).append(": ");
      append(line, cause.getMessage());
      StackTraceElementProxy[] elements = cause.getStackTraceElementProxyArray();
      for (int i = 0; i < elements.length - cause.getCommonFrames(); i++) { // what it shares with its effect was said there
        line.append(" | ").append(elements[i].getSTEAsString());
      }
    }
    return line.append('\n').toString();
  }

  private static void append(StringBuilder line, String text) {
    line.append(text == null ? "" : text.replace("\n", " | ").replace("\r", ""));
  }
}
