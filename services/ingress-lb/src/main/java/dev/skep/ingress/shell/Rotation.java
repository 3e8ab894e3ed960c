package dev.skep.ingress.shell;

import dev.skep.ingress.core.Backend;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Whose turn it is at one published port. One counter for all event loops makes the round robin exact. A backend that
 * could not be reached rests for a while: it is passed over as long as another one does not rest. Time is given by the
 * caller, in nanoseconds.
 */
final class Rotation {
  /** The backends of one moment. */
  private record Circle(List<Backend> backends, Map<Backend, Long> restsUntil) {}

  private final AtomicLong turn = new AtomicLong();
  private final long restNanos;
  private volatile Circle circle = new Circle(List.of(), Map.of());

  Rotation(long restNanos) {
    this.restNanos = restNanos;
  }

  List<Backend> backends() {
    return circle.backends;
  }

  /** Replaces the backends. Those that stay and rest go on resting. */
  synchronized void replace(List<Backend> backends) {
    Map<Backend, Long> resting = new HashMap<>(circle.restsUntil);
    resting.keySet().retainAll(backends);
    circle = new Circle(List.copyOf(backends), Map.copyOf(resting));
  }

  /** The next backend in turn that was not tried yet; null when all were. */
  Backend next(List<Backend> tried, long nowNanos) {
    Circle seen = circle;
    int size = seen.backends.size();
    if (size == 0 || (tried.size() >= size && tried.containsAll(seen.backends))) {
      return null;
    }
    if (tried.isEmpty() && seen.restsUntil.isEmpty()) {
      return seen.backends.get(at(turn.getAndIncrement(), size));
    }
    Backend resting = null;
    for (int n = 0; n < size; n++) {
      Backend candidate = seen.backends.get(at(turn.getAndIncrement(), size));
      if (tried.contains(candidate)) {
        continue;
      }
      if (!rests(seen, candidate, nowNanos)) {
        return candidate;
      }
      resting = resting == null ? candidate : resting;
    }
    return resting != null ? resting : untried(seen, tried);
  }

  /** Turns of other connections came between: take any that is left. */
  private static Backend untried(Circle seen, List<Backend> tried) {
    return seen.backends.stream().filter(backend -> !tried.contains(backend)).findFirst().orElse(null);
  }

  void failed(Backend backend, long nowNanos) {
    rest(backend, nowNanos + restNanos);
  }

  void reached(Backend backend) {
    if (!circle.restsUntil.isEmpty() && circle.restsUntil.containsKey(backend)) {
      rest(backend, null);
    }
  }

  private synchronized void rest(Backend backend, Long until) {
    if (!circle.backends.contains(backend)) {
      return;
    }
    Map<Backend, Long> resting = new HashMap<>(circle.restsUntil);
    if (until == null) {
      resting.remove(backend);
    } else {
      resting.put(backend, until);
    }
    circle = new Circle(circle.backends, Map.copyOf(resting));
  }

  private static boolean rests(Circle seen, Backend backend, long nowNanos) {
    Long until = seen.restsUntil.get(backend);
    return until != null && until - nowNanos > 0;
  }

  private static int at(long turn, int size) {
    return (int) Long.remainderUnsigned(turn, size);
  }
}
