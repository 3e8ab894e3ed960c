package dev.skep.state;

import com.google.protobuf.Message;

/** The key of one row, with its kind. Two keys are equal when their paths are. */
public record Key<T extends Message>(RowKind<T> kind, String path) implements Comparable<Key<?>> {
  /** The part after the last slash: for most kinds the id of the object. */
  public String lastPart() {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  /** The parts after the kind's prefix. */
  public String[] parts() {
    return path.substring(kind.prefix().length()).split("/");
  }

  @Override
  public int compareTo(Key<?> other) {
    return path.compareTo(other.path);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Key<?> key && key.path.equals(path);
  }

  @Override
  public int hashCode() {
    return path.hashCode();
  }

  @Override
  public String toString() {
    return path;
  }
}
