package dev.skep.dispatcher.core;

import com.google.protobuf.Timestamp;
import java.time.Instant;

/** Moments as rows hold them. */
public final class Stamp {
  private Stamp() {}

  public static Timestamp of(Instant moment) {
    return Timestamp.newBuilder().setSeconds(moment.getEpochSecond()).setNanos(moment.getNano()).build();
  }

  public static Instant at(Timestamp stamp) {
    return Instant.ofEpochSecond(stamp.getSeconds(), stamp.getNanos());
  }
}
