package dev.skep.state;

import com.google.protobuf.Message;

/** One wanted change of one row. */
public sealed interface Write {
  Key<?> key();

  record Put<T extends Message>(Key<T> key, T value) implements Write {}

  record Delete(Key<?> key) implements Write {}
}
