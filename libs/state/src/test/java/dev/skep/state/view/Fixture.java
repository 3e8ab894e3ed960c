package dev.skep.state.view;

import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import java.util.List;
import java.util.function.UnaryOperator;

/** A state under construction: each row that is put or changed gets the next revision. */
final class Fixture {
  private ClusterState state = ClusterState.empty();

  static Timestamp at(long seconds) {
    return Timestamp.newBuilder().setSeconds(seconds).build();
  }

  ClusterState state() {
    return state;
  }

  <T extends Message> Fixture put(Key<T> key, T value) {
    long created = state.has(key) ? state.row(key).createRevision() : state.revision() + 1;
    return apply(key, value.toByteArray(), created);
  }

  <T extends Message> Fixture change(Key<T> key, UnaryOperator<T> change) {
    return put(key, change.apply(state.value(key)));
  }

  Fixture delete(Key<?> key) {
    return apply(key, null, 0);
  }

  private Fixture apply(Key<?> key, byte[] value, long created) {
    long revision = state.revision() + 1;
    state = state.apply(revision, List.of(new ClusterState.Stored(key.path(), value, created, revision))).state();
    return this;
  }

  /** The same state, to be changed on its own. */
  Fixture copy() {
    Fixture copy = new Fixture();
    copy.state = state;
    return copy;
  }
}
