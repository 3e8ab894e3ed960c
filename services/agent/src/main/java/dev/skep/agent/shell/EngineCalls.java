package dev.skep.agent.shell;

import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Calls that the engine has not answered yet. They have no time limit, for what an engine does may take long; one that hangs is told. */
final class EngineCalls {
  private static final Pattern GRACE = Pattern.compile("/stop\\?t=(\\d+)");

  private final Set<Waiting> waiting = ConcurrentHashMap.newKeySet();

  /** One of them; equal to no other, as several may ask the same. */
  static final class Waiting {
    private final String what;
    private final long since = System.nanoTime();
    private final Duration grace;

    private Waiting(String what, Duration grace) {
      this.what = what;
      this.grace = grace;
    }

    private Duration time() {
      return Duration.ofNanos(System.nanoTime() - since);
    }

    @Override
    public String toString() {
      return what + " for " + time().toSeconds() + " s";
    }
  }

  Waiting begun(String method, String path) {
    Matcher grace = GRACE.matcher(path);
    Waiting call = new Waiting(method + " " + path, grace.find() ? Duration.ofSeconds(Long.parseLong(grace.group(1))) : Duration.ZERO);
    waiting.add(call);
    return call;
  }

  void answered(Waiting call) {
    waiting.remove(call);
  }

  /** The oldest of those that have waited longer than this, and than a container may take to stop. */
  Optional<Waiting> hanging(Duration patience) {
    return waiting.stream().filter(call -> call.time().compareTo(patience.plus(call.grace)) >= 0).min(Comparator.comparingLong(call -> call.since));
  }
}
