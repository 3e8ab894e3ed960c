package dev.skep.state;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a decider wants: change sets in order, when to be asked again though nothing changed, and the objects it could
 * not decide about, each with the reason.
 */
public record Decision(List<ChangeSet> changes, Optional<Instant> wakeAt, Map<String, String> quarantined) {
  public static final Decision NOTHING = new Decision(List.of(), Optional.empty(), Map.of());

  public static Builder builder() {
    return new Builder();
  }

  /** Collects a decision. */
  public static final class Builder {
    private final List<ChangeSet> changes = new ArrayList<>();
    private final Map<String, String> quarantined = new LinkedHashMap<>();
    private Instant wakeAt;

    public Builder change(ChangeSet.Builder set) {
      if (!set.isEmpty()) {
        changes.add(set.build());
      }
      return this;
    }

    Builder add(ChangeSet set) {
      changes.add(set);
      return this;
    }

    /** Ask again at this time; of several the earliest counts. */
    public Builder wakeAt(Instant time) {
      if (wakeAt == null || time.isBefore(wakeAt)) {
        wakeAt = time;
      }
      return this;
    }

    public Builder quarantine(String objectId, String reason) {
      quarantined.put(objectId, reason);
      return this;
    }

    public Decision build() {
      return new Decision(List.copyOf(changes), Optional.ofNullable(wakeAt), Map.copyOf(quarantined));
    }
  }
}
