package dev.skep.agent.core;

/** A version of the Docker Engine API. */
public record ApiVersion(int major, int minor) implements Comparable<ApiVersion> {
  /** The newest that this agent knows; never asked of an engine that is older. */
  public static final ApiVersion NEWEST = new ApiVersion(1, 44);

  public static ApiVersion parse(String text) {
    int dot = text.indexOf('.');
    return new ApiVersion(Integer.parseInt(text.substring(0, dot)), Integer.parseInt(text.substring(dot + 1)));
  }

  public ApiVersion atMost(ApiVersion other) {
    return compareTo(other) <= 0 ? this : other;
  }

  public boolean atLeast(ApiVersion other) {
    return compareTo(other) >= 0;
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
