package dev.skep.backend.etcd;

import com.google.protobuf.ByteString;

/**
 * Our keys in etcd: UTF-8 behind a prefix of our own. What is sealed stands behind everything else, so that who may not
 * read it reads and watches all the rest as one range: etcd grants ranges.
 *
 * @param opensSealed what is sealed is part of everything
 */
record Keys(ByteString before, boolean opensSealed) {
  private static final ByteString ZERO = ByteString.copyFrom(new byte[1]);
  private static final String SEALED = "sealed/";
  private static final String LAST = "~";

  static Keys of(EtcdConfig config) {
    return new Keys(ByteString.copyFromUtf8(config.prefix()), config.opensSealed());
  }

  ByteString key(String name) {
    return before.concat(ByteString.copyFromUtf8(name.startsWith(SEALED) ? LAST + name : name));
  }

  String name(ByteString key) {
    String name = key.substring(before.size()).toStringUtf8();
    return name.startsWith(LAST + SEALED) ? name.substring(LAST.length()) : name;
  }

  /** Where what is sealed begins, and all the rest ends. */
  ByteString sealed() {
    return before.concat(ByteString.copyFromUtf8(LAST));
  }

  /** Where the range of a prefix begins. Throws {@link IllegalArgumentException} for a beginning of the word that is kept apart. */
  ByteString first(String prefix) {
    if (!prefix.isEmpty() && prefix.length() < SEALED.length() && SEALED.startsWith(prefix)) {
      throw new IllegalArgumentException("'" + prefix + "' would be two ranges in etcd; ask for '" + SEALED + "' and for the rest");
    }
    ByteString first = key(prefix);
    return first.isEmpty() ? ZERO : first;
  }

  /** Where it ends: the first key behind it. One zero byte is etcd's word for the end of all keys. */
  ByteString end(String prefix) {
    if (prefix.isEmpty() && !opensSealed) {
      return sealed();
    }
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
