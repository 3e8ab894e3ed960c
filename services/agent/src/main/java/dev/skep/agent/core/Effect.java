package dev.skep.agent.core;

import java.time.Duration;

/** One call to the engine. Effects of a step are carried out in order; a refused one ends the list. */
public sealed interface Effect {
  /** Makes the task's image available. */
  record Pull() implements Effect {}

  /** Creates the container on the first of its networks, or on all when the engine can. */
  record Create() implements Effect {}

  record Connect(String networkId) implements Effect {}

  record Start() implements Effect {}

  /** Stop signal, then SIGKILL when the grace is over. Ends when the container has ended. */
  record Stop(Duration grace) implements Effect {}

  /** Removes the container, ending it at once if it still runs, with its anonymous volumes. */
  record Remove() implements Effect {}
}
