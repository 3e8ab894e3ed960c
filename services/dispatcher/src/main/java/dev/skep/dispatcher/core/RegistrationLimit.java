package dev.skep.dispatcher.core;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A node may register three times within eight seconds; a node that comes more often is told to come back later. */
public record RegistrationLimit(List<Instant> admitted) {
  public static final int REGISTRATIONS = 3;
  public static final Duration WINDOW = Duration.ofSeconds(8);
  public static final RegistrationLimit FRESH = new RegistrationLimit(List.of());

  public RegistrationLimit {
    admitted = List.copyOf(admitted);
  }

  /** The limit with this registration counted; empty when it is one too many. */
  public Optional<RegistrationLimit> admit(Instant now) {
    List<Instant> recent = new ArrayList<>();
    for (Instant before : admitted) {
      // A clock that went back must not lock a node out.
      if (before.plus(WINDOW).isAfter(now) && !before.isAfter(now)) {
        recent.add(before);
      }
    }
    if (recent.size() >= REGISTRATIONS) {
      return Optional.empty();
    }
    recent.add(now);
    return Optional.of(new RegistrationLimit(recent));
  }

  public boolean expired(Instant now) {
    return admitted.stream().noneMatch(before -> before.plus(WINDOW).isAfter(now));
  }
}
