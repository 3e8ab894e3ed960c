package dev.skep.relay.core;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a log makes: fed its entries in order, it holds the rows that they result in, and every place where the log does
 * not go on from what was before. A snapshot in the middle must agree with the records up to it.
 */
public final class Replay {
  /** Between these revisions, the second included, the log says nothing. */
  public record Hole(long after, long until, String why) {
    @Override
    public String toString() {
      return "revisions " + (after + 1) + " to " + until + ": " + why;
    }
  }

  private static final int MOST_NOTES = 1_000;

  private final List<Hole> holes = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();
  private Map<String, Change> rows = new TreeMap<>();
  private Map<String, Change> building; // a snapshot that is not complete; null: none
  private boolean known; // the rows are those of the revision: a snapshot was complete and no revision is missing since
  private String epoch = "";
  private long first;
  private long revision;
  private long records;

  /** The log goes on with another history. */
  public void reset(String nextEpoch, long at, long previous, Reason reason) {
    records++;
    if (!nextEpoch.equals(epoch)) {
      if (records > 1) {
        note("epoch " + epoch + " ends at revision " + revision + "; epoch " + nextEpoch + " begins at revision " + at);
      }
      epoch = nextEpoch;
      first = at;
    } else if (at > previous && previous > 0) {
      hole(previous, at, "the store forgot them before the log had them (" + reason + ")");
    }
    known = false;
    building = null;
    revision = at;
    rows = new TreeMap<>();
  }

  /** A part of the store at a revision. */
  public void snapshot(String ofEpoch, long at, int part, boolean last, List<Change> some) {
    records++;
    if (part == 0) {
      building = new TreeMap<>();
    }
    if (building == null) {
      return; // its beginning is gone from the log
    }
    if (first == 0) {
      epoch = ofEpoch;
      first = at;
    }
    some.forEach(row -> building.put(row.key(), row));
    if (last) {
      if (known && at == revision) {
        differences(rows.values(), building.values()).forEach(key -> note("the snapshot at revision " + at + " and the records before it differ in " + key));
      }
      rows = building;
      revision = at;
      known = true;
      building = null;
    }
  }

  /** What a revision changed. */
  public void changes(String ofEpoch, long at, long previous, List<Change> changes) {
    records++;
    building = null;
    if (first == 0) {
      epoch = ofEpoch;
      first = at;
      revision = previous;
      known = previous == 0;
    }
    if (at <= revision) {
      note("revision " + at + " stands behind revision " + revision);
      return;
    }
    if (previous != revision) {
      hole(revision, previous, "records are missing, and nothing says why");
      known = false;
    }
    for (Change change : changes) {
      if (change.value() == null) {
        rows.remove(change.key());
      } else {
        rows.put(change.key(), change);
      }
    }
    revision = at;
  }

  private void hole(long after, long until, String why) {
    if (holes.size() < MOST_NOTES) {
      holes.add(new Hole(after, until, why));
    }
  }

  private void note(String text) {
    if (notes.size() < MOST_NOTES) {
      notes.add(text);
    }
  }

  // ---- what came of it ----

  /** Whether the rows are all that the store had at the revision. */
  public boolean known() {
    return known;
  }

  public String epoch() {
    return epoch;
  }

  /** The first and the last revision that it was fed. */
  public long first() {
    return first;
  }

  public long revision() {
    return revision;
  }

  public long records() {
    return records;
  }

  /** By key. */
  public Map<String, Change> rows() {
    return Map.copyOf(rows);
  }

  public List<Hole> holes() {
    return List.copyOf(holes);
  }

  /** What else is worth a look: epochs, disagreements. */
  public List<String> notes() {
    return List.copyOf(notes);
  }

  /** One number for all rows: equal states have equal ones. */
  public String digest() {
    try {
      MessageDigest sum = MessageDigest.getInstance("SHA-256");
      rows.values().forEach(row -> {
        byte[] key = row.key().getBytes(StandardCharsets.UTF_8);
        sum.update(ByteBuffer.allocate(24 + key.length).putInt(key.length).put(key).putLong(row.created()).putLong(row.modified())
            .putInt(row.value().length).array());
        sum.update(row.value());
      });
      return HexFormat.of().formatHex(sum.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** The keys in which the rows and these, the store's as the log would show them, differ. */
  public List<String> differences(Iterable<Change> store) {
    return differences(rows.values(), store);
  }

  private static List<String> differences(Iterable<Change> one, Iterable<Change> other) {
    Map<String, Change> left = byKey(one);
    Map<String, Change> right = byKey(other);
    TreeSet<String> keys = new TreeSet<>(left.keySet());
    keys.addAll(right.keySet());
    keys.removeIf(key -> left.get(key) != null && left.get(key).same(right.get(key)));
    return List.copyOf(keys);
  }

  private static Map<String, Change> byKey(Iterable<Change> changes) {
    Map<String, Change> byKey = new TreeMap<>();
    changes.forEach(change -> byKey.put(change.key(), change));
    return byKey;
  }
}
