package dev.skep.state;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import java.util.Objects;

/**
 * A kind of row: where it stands in the key space and which message it holds. All kinds are listed in {@link Rows}.
 *
 * @param <T> the message
 */
public final class RowKind<T extends Message> {
  private final Owner owner;
  private final String prefix;
  private final T prototype;

  RowKind(Owner owner, String name, T prototype) {
    this.owner = owner;
    this.prefix = owner.prefix() + name + "/";
    this.prototype = prototype;
  }

  public Owner owner() {
    return owner;
  }

  /** The key prefix of all rows of this kind, with its final slash. */
  public String prefix() {
    return prefix;
  }

  /** The key of one row; the parts are joined with slashes and must not contain any. */
  public Key<T> key(String... parts) {
    for (String part : parts) {
      if (part.isEmpty() || part.indexOf('/') >= 0) {
        throw new IllegalArgumentException("not a key part: '" + part + "' under " + prefix);
      }
    }
    return new Key<>(this, prefix + String.join("/", parts));
  }

  Key<T> keyOfPath(String path) {
    return new Key<>(this, path);
  }

  /** Reads a stored value. Broken bytes are our own failure: they end the process. */
  @SuppressWarnings("unchecked") // the parser of a prototype makes messages of its class
  T parse(byte[] bytes) {
    try {
      return (T) prototype.getParserForType().parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a row under " + prefix + " is not a " + prototype.getDescriptorForType().getName(), e);
    }
  }

  T emptyValue() {
    return prototype;
  }

  @Override
  public String toString() {
    return Objects.toString(prefix);
  }
}
