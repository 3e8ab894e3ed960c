package dev.skep.state;

import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes that land together or not at all: one whole object. {@code about} is the object's id, for logs and quarantine.
 */
public record ChangeSet(String about, List<Write> writes, List<Guard> guards) {
  /** A store transaction takes at most this many operations, guards included. */
  public static final int MAX_OPERATIONS = 100;

  public ChangeSet {
    writes = List.copyOf(writes);
    guards = List.copyOf(guards);
    if (writes.isEmpty()) {
      throw new IllegalArgumentException("a change set about " + about + " that changes nothing");
    }
    if (writes.size() + guards.size() > MAX_OPERATIONS) {
      throw new IllegalArgumentException("a change set about " + about + " of " + writes.size() + " writes and " + guards.size() + " guards");
    }
  }

  public static Builder about(String objectId) {
    return new Builder(objectId);
  }

  /** Collects one change set. */
  public static final class Builder {
    private final String about;
    private final List<Write> writes = new ArrayList<>();
    private final List<Guard> guards = new ArrayList<>();

    private Builder(String about) {
      this.about = about;
    }

    public <T extends Message> Builder put(Key<T> key, T value) {
      writes.add(new Write.Put<>(key, value));
      return this;
    }

    public Builder delete(Key<?> key) {
      writes.add(new Write.Delete(key));
      return this;
    }

    public Builder unmodified(Row<?> row) {
      guards.add(new Guard.Unmodified(row.key(), row.modRevision()));
      return this;
    }

    public Builder present(Key<?> key) {
      guards.add(new Guard.Present(key));
      return this;
    }

    public Builder absent(Key<?> key) {
      guards.add(new Guard.Absent(key));
      return this;
    }

    public boolean isEmpty() {
      return writes.isEmpty();
    }

    public int operations() {
      return writes.size() + guards.size();
    }

    public ChangeSet build() {
      return new ChangeSet(about, writes, guards);
    }
  }
}
