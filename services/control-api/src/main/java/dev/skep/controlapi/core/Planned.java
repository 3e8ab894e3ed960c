package dev.skep.controlapi.core;

import dev.skep.state.ChangeSet;
import java.util.List;

/**
 * What an accepted request writes, and what it answers once that is durable. Nothing to write is legal: then the answer
 * already holds.
 *
 * @param <T> the answer
 */
public record Planned<T>(T answer, List<ChangeSet> changes) {
  public Planned {
    changes = List.copyOf(changes);
  }

  public static <T> Answer<Planned<T>> of(T answer, ChangeSet.Builder change) {
    return Answer.ok(new Planned<>(answer, change.isEmpty() ? List.of() : List.of(change.build())));
  }
}
