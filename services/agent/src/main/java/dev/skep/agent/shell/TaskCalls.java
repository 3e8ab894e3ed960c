package dev.skep.agent.shell;

import dev.skep.agent.core.Effect;
import dev.skep.agent.core.Observation;
import dev.skep.dispatcher.v1.TaskAssignment;
import java.util.function.BooleanSupplier;

/** The engine calls behind looks and effects. Blocking; every answer is a value. */
final class TaskCalls {
  private final Containers containers;
  private final BooleanSupplier engineAccepts;

  TaskCalls(Containers containers, BooleanSupplier engineAccepts) {
    this.containers = containers;
    this.engineAccepts = engineAccepts;
  }

  /** {@code wanted}: the container ran and should run. */
  Outcome look(TaskAssignment task, boolean wanted) {
    return attempt(() -> closely(task, wanted));
  }

  Outcome perform(TaskAssignment task, Effect effect, Containers.Node around, String resolver) {
    return attempt(() -> attempted(task, effect, around, resolver));
  }

  /** An engine that is told to end first stops listening and then ends its containers: their end is not their own. */
  private Outcome closely(TaskAssignment task, boolean wanted) throws EngineException {
    Containers.Look look = containers.look(task);
    boolean ended = wanted && look.seen() instanceof Observation.Exited;
    return ended && !engineAccepts.getAsBoolean() ? new Outcome.Leaving(look.finished()) : new Outcome.Seen(look);
  }

  private Outcome attempted(TaskAssignment task, Effect effect, Containers.Node around, String resolver) throws EngineException {
    return switch (effect) {
      case Effect.Pull _ -> throw new IllegalStateException("pulls are waited for, not performed");
      case Effect.Create _ -> new Outcome.Seen(containers.create(task, around, resolver));
      case Effect.Connect connect -> {
        containers.connect(task, connect.networkId());
        yield new Outcome.Done();
      }
      case Effect.Start _ -> {
        containers.start(task);
        yield new Outcome.Seen(containers.look(task));
      }
      case Effect.Stop stop -> {
        containers.stop(task, stop.grace());
        yield new Outcome.Done();
      }
      case Effect.Remove _ -> {
        containers.remove(task);
        yield new Outcome.Seen(Containers.Look.of(new Observation.Absent()));
      }
    };
  }

  private interface Attempt {
    Outcome run() throws EngineException;
  }

  private static Outcome attempt(Attempt attempt) {
    try {
      return attempt.run();
    } catch (EngineException problem) {
      return Outcome.of(problem);
    }
  }
}
