package dev.skep.runtime.election;

import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Which holders this process believed gone that were not: their address leads elsewhere, or to nobody. A refusal at an
 * address that never answered is believed once, so that a killed holder costs no time; whoever has the loop again after
 * that is not judged by its address any more. So two processes that cannot reach each other do not take a loop from each
 * other for ever, but once each.
 */
final class Mistakes {
  private static final int MOST = 256; // every start of a process makes a new id: the oldest are of processes long gone

  private record Lost(String loop, String holder) {}

  private final Set<Lost> lost = new LinkedHashSet<>();
  private final Set<String> mistaken = new LinkedHashSet<>();

  /** The holder, believed gone, has the loop no more. */
  void lost(String loop, String holder) {
    add(lost, new Lost(loop, holder));
  }

  /**
   * The holder has the loop now. Returns whether it had lost it as one believed gone: commits are a chain, so that whoever
   * has a loop again after another had it was alive then.
   */
  boolean returned(String loop, String holder) {
    boolean back = lost.remove(new Lost(loop, holder));
    if (back) {
      add(mistaken, holder);
    }
    return back;
  }

  /** It answered at its address. */
  void met(String holder) {
    mistaken.remove(holder);
  }

  boolean about(String holder) {
    return mistaken.contains(holder);
  }

  private static <T> void add(Set<T> set, T one) {
    set.remove(one);
    set.add(one);
    if (set.size() > MOST) {
      set.remove(set.iterator().next());
    }
  }
}
