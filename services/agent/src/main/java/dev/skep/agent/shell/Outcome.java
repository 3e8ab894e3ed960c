package dev.skep.agent.shell;

import dev.skep.agent.shell.EngineException.Refused;
import dev.skep.agent.shell.EngineException.Unreachable;
import java.time.Instant;

/** What a call to the engine brought. */
sealed interface Outcome {
  record Seen(Containers.Look look) implements Outcome {}

  record Done() implements Outcome {}

  record No(String reason) implements Outcome {}

  record Away(String reason) implements Outcome {}

  record Leaving(Instant since) implements Outcome {}

  static Outcome of(EngineException problem) {
    return switch (problem) {
      case Refused refused -> new No(refused.getMessage());
      case Unreachable away -> new Away(away.getMessage());
    };
  }
}
