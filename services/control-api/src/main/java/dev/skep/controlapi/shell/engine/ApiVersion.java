package dev.skep.controlapi.shell.engine;

import java.util.Optional;

/** A version of the Docker Engine API. */
public record ApiVersion(int major, int minor) implements Comparable<ApiVersion> {
  /** The newest that control-api itself speaks. */
  public static final ApiVersion OURS = new ApiVersion(1, 44);

  public static final ApiVersion OLDEST = new ApiVersion(1, 24);

  public static Optional<ApiVersion> parse(String text) {
    if (!text.matches("[0-9]{1,4}\\.[0-9]{1,4}")) {
      return Optional.empty();
    }
    int dot = text.indexOf('.');
    return Optional.of(new ApiVersion(Integer.parseInt(text.substring(0, dot)), Integer.parseInt(text.substring(dot + 1))));
  }

  public ApiVersion min(ApiVersion other) {
    return compareTo(other) <= 0 ? this : other;
  }

  @Override
  public int compareTo(ApiVersion other) {
    return major != other.major ? Integer.compare(major, other.major) : Integer.compare(minor, other.minor);
  }

  @Override
  public String toString() {
    return major + "." + minor;
  }
}
