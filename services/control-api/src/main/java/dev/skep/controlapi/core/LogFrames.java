package dev.skep.controlapi.core;

import dev.skep.dispatcher.v1.LogLine;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;

/**
 * Log lines as they stand on the wire: one frame per line, with stream and length before it; a terminal's output has no
 * frames.
 *
 * @param framed not of a terminal
 * @param details node, service and task before each line: the CLI finds its names by them. Ids need no URL escapes
 * @param timestamps the time before that
 */
public record LogFrames(boolean framed, boolean details, boolean timestamps) {
  private static final int HEADER = 8;
  private static final byte STDOUT = 1;
  private static final byte STDERR = 2;
  private static final byte SYSTEM_ERROR = 3; // the client prints it and ends
  private static final DateTimeFormatter NANOS = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.nnnnnnnnn'Z'").withZone(ZoneOffset.UTC);

  public byte[] line(LogLine line) {
    StringBuilder prefix = new StringBuilder();
    if (timestamps) {
      prefix.append(NANOS.format(Instant.ofEpochSecond(line.getTimestamp().getSeconds(), line.getTimestamp().getNanos()))).append(' ');
    }
    if (details) {
      prefix.append("com.docker.swarm.node.id=").append(line.getNodeId());
      prefix.append(",com.docker.swarm.service.id=").append(line.getServiceId());
      prefix.append(",com.docker.swarm.task.id=").append(line.getTaskId()).append(' ');
    }
    byte[] head = prefix.toString().getBytes(StandardCharsets.UTF_8);
    byte[] payload = new byte[head.length + line.getData().size()];
    System.arraycopy(head, 0, payload, 0, head.length);
    line.getData().copyTo(payload, head.length);
    return frame(line.getStderr() ? STDERR : STDOUT, payload);
  }

  /** What ends an incomplete stream, in swarm's words. */
  public byte[] failure(List<String> problems) {
    String text =
        "Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream. some logs could not be retrieved for the"
            + " following reasons: "
            + String.join(", ", problems)
            + "\n";
    return frame(SYSTEM_ERROR, text.getBytes(StandardCharsets.UTF_8));
  }

  private byte[] frame(byte stream, byte[] payload) {
    if (!framed) {
      return payload;
    }
    return ByteBuffer.allocate(HEADER + payload.length).put(stream).put((byte) 0).putShort((short) 0).putInt(payload.length).put(payload)
        .array();
  }
}
