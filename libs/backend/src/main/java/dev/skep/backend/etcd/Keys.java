package dev.skep.backend.etcd;

import com.google.protobuf.ByteString;

/** Our keys in etcd: UTF-8 behind a prefix of our own. */
record Keys(ByteString before) {
  private static final ByteString ZERO = ByteString.copyFrom(new byte[1]);

  Keys(String prefix) {
    this(ByteString.copyFromUtf8(prefix));
  }

  ByteString key(String name) {
    return before.concat(ByteString.copyFromUtf8(name));
  }

  String name(ByteString key) {
    return key.substring(before.size()).toStringUtf8();
  }

  /** Where the range of a prefix begins. */
  ByteString first(String prefix) {
    ByteString first = key(prefix);
    return first.isEmpty() ? ZERO : first;
  }

  /** Where it ends: the first key behind it. One zero byte is etcd's word for the end of all keys. */
  ByteString end(String prefix) {
    ByteString first = key(prefix);
    for (int last = first.size() - 1; last >= 0; last--) {
      if (first.byteAt(last) != (byte) 0xff) {
        return first.substring(0, last).concat(ByteString.copyFrom(new byte[] {(byte) (first.byteAt(last) + 1)}));
      }
    }
    return ZERO;
  }

  /** The first key that can follow this one. */
  static ByteString after(ByteString key) {
    return key.concat(ZERO);
  }
}
