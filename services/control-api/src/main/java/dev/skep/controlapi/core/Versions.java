package dev.skep.controlapi.core;

/** {@code ?version=N}: an update lands only on what its sender had read. */
public final class Versions {
  private Versions() {}

  /**
   * Docker refuses every version but the newest, so that any change by the orchestrator in between costs the user an
   * update. Here only changes of what the user asked count.
   *
   * @param shown the object's Version.Index now
   * @param decided the revision of the last change that the sender must have known
   */
  public static boolean inSequence(long asked, long shown, long decided) {
    return Long.compareUnsigned(asked, shown) <= 0 && Long.compareUnsigned(asked, decided) >= 0;
  }

  /** Reads the query value as Go's ParseUint does. */
  public static Answer<Long> parse(String noun, String text) {
    if (text.isEmpty() || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return Answer.refused(ApiError.badVersion(noun, text, false));
    }
    try {
      return Answer.ok(Long.parseUnsignedLong(text));
    } catch (NumberFormatException _) {
      return Answer.refused(ApiError.badVersion(noun, text, true));
    }
  }
}
