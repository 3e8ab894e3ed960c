package dev.skep.testkit.sim;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** What happened last, and a hash of all that ever happened: two runs of one seed must have the same. */
public final class Trace {
  private static final long PRIME = 0x100000001b3L;
  private static final int LAST = 400;

  private record Line(long nanos, String who, String what) {
    @Override
    public String toString() {
      return String.format("%10.4f  %-14s %s", nanos / 1e9, who, what);
    }
  }

  private final Deque<Line> last = new ArrayDeque<>();
  private final int kept;
  private long hash = 0xcbf29ce484222325L;

  Trace(boolean whole) {
    this.kept = whole ? Integer.MAX_VALUE : LAST;
  }

  void add(Duration at, String who, String what) {
    hash = (hash ^ at.toNanos()) * PRIME;
    hash = (hash ^ who.hashCode()) * PRIME;
    hash = (hash ^ what.hashCode()) * PRIME;
    if (last.size() >= kept) {
      last.removeFirst();
    }
    last.addLast(new Line(at.toNanos(), who, what));
  }

  public long hash() {
    return hash;
  }

  /** The last lines, oldest first. */
  public List<String> lines(int most) {
    List<String> lines = new ArrayList<>();
    int skip = Math.max(0, last.size() - most);
    for (Line line : last) {
      if (skip-- <= 0) {
        lines.add(line.toString());
      }
    }
    return lines;
  }
}
