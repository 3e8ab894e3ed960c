package dev.skep.orchestrator.core;

import dev.skep.state.IdSource;
import java.util.ArrayList;
import java.util.List;

/** Fresh ids that can be put back, so that an attempt which is given up leaves no trace. */
final class Ids {
  private final IdSource source;
  private final List<String> drawn = new ArrayList<>();
  private int used;

  Ids(IdSource source) {
    this.source = source;
  }

  String next() {
    if (used == drawn.size()) {
      drawn.add(source.next());
    }
    return drawn.get(used++);
  }

  int position() {
    return used;
  }

  void backTo(int position) {
    used = position;
  }
}
