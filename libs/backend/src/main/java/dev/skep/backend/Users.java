package dev.skep.backend;

import java.util.List;

/** Who may use a store or a log, as its servers keep it. Asked as an administrator of theirs. */
public interface Users extends AutoCloseable {
  /**
   * What a user may do.
   *
   * @param role a name for these rights; the same name stands for the same rights
   * @param writes of a store: prefixes, with a slash at their end, and keys
   * @param opensSealed of a store: it reads everything; else everything but what is sealed
   * @param reads of a log: what stands there
   * @param appends of a log: as its one writer, and reads it
   * @param administers it may do what is done here
   */
  record Rights(String role, List<String> writes, boolean opensSealed, boolean reads, boolean appends, boolean administers) {
    /** Of whoever administers; it may do everything else in a store, and nothing else in a log. */
    public static Rights administrator() {
      return new Rights("root", List.of(), false, false, false, true);
    }
  }

  /**
   * Makes ready for users whatever is not: turns them on in a store that has none yet, with our own name and password as
   * its first one's; makes the log's topic. Throws {@link DeniedException} where an operator has to do something first.
   */
  void prepare();

  /** Makes a user with these rights, in place of one of that name, whose passwords and connections end. */
  void grant(String name, String password, Rights rights);

  /** A new password for a user that is there. */
  void password(String name, String password);

  /** From now on whoever has this user's password is nobody. Nothing happens when there is no such user. */
  void remove(String name);

  /** Users whose names begin so. */
  List<String> names(String prefix);

  @Override
  void close();
}
