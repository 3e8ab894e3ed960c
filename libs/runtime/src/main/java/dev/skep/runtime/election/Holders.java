package dev.skep.runtime.election;

import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps a call open to every other process that holds one of this process's loops, so that its end is noticed at once. */
public final class Holders implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Holders.class);

  /** What becomes of a call. Told on any thread. */
  public interface Line {
    /** Whoever answers said its holder id. */
    void told(String holder);

    /** The call ended; {@code refused}: nobody listens there. Told once at most. */
    void ended(boolean refused);
  }

  /** Calls peers. */
  @FunctionalInterface
  public interface Caller {
    /** Begins a call, which closing ends; does not block. */
    AutoCloseable call(String address, Line line);
  }

  /** Runs something later; closing cancels. */
  @FunctionalInterface
  public interface Timer {
    AutoCloseable after(Duration delay, Runnable body);
  }

  private final class Watched {
    private final String holder;
    private final String address;
    private final Acquaintance known;
    private int call; // counts calls: what an earlier one says is of no interest
    private boolean answered;
    private AutoCloseable open = () -> {};
    private AutoCloseable waiting = () -> {};
    private boolean forgotten;

    private Watched(String holder, String address) {
      this.holder = holder;
      this.address = address;
      this.known = new Acquaintance(holder, mistakes.about(holder));
    }

    private void call() {
      int mine = ++call;
      answered = false;
      waiting = timer.after(known.patience(), () -> ended(mine, false, true));
      open = caller.call(address, new Line() {
        @Override
        public void told(String id) {
          Watched.this.told(mine, id);
        }

        @Override
        public void ended(boolean refused) {
          Watched.this.ended(mine, refused, false);
        }
      });
    }

    private void told(int which, String id) {
      synchronized (Holders.this) {
        if (forgotten || which != call) {
          return;
        }
        answered = true;
        boolean wasGone = known.gone();
        if (known.told(id)) {
          mistakes.met(holder);
        } else {
          hangUp();
          if (!known.over()) {
            waiting = timer.after(known.again(), this::again);
          }
        }
        changed(wasGone);
      }
    }

    private void ended(int which, boolean refused, boolean outOfPatience) {
      synchronized (Holders.this) {
        if (forgotten || which != call || outOfPatience && answered) {
          return;
        }
        boolean wasGone = known.gone();
        Duration wait = known.ended(refused);
        hangUp();
        changed(wasGone);
        if (!known.over()) {
          waiting = timer.after(wait, this::again);
        }
      }
    }

    private void again() {
      synchronized (Holders.this) {
        if (!forgotten) {
          call();
        }
      }
    }

    private void hangUp() {
      call++;
      close(waiting);
      close(open);
    }

    private void changed(boolean wasGone) {
      if (known.gone() != wasGone) {
        if (known.gone()) {
          LOG.info("the holder {} at {} has ended", holder, address);
        }
        news.run();
      }
    }

    private void forget() {
      forgotten = true;
      hangUp();
    }
  }

  private final String me;
  private final Caller caller;
  private final Timer timer;
  private final Runnable news;
  private final Set<String> loops = new HashSet<>(); // guarded by this, as all below
  private final Map<String, Watched> watched = new HashMap<>(); // by holder
  private final Map<String, String> holderOf = new HashMap<>(); // by loop, of other processes only
  private final Mistakes mistakes = new Mistakes();
  private boolean closed;

  /**
   * @param me this process's own holder id
   * @param news runs when it is believed otherwise of a holder; must not block
   */
  public Holders(String me, Caller caller, Timer timer, Runnable news) {
    this.me = me;
    this.caller = caller;
    this.timer = timer;
    this.news = news;
  }

  /** From now on the holder of this loop is watched. */
  public synchronized void loop(String name, ClusterState state) {
    loops.add(name);
    look(name, state);
  }

  /** As {@link dev.skep.runtime.View.Listener}. */
  public synchronized void moved(ClusterState state, List<RowChange> changes, boolean reset) {
    if (reset) {
      loops.forEach(name -> look(name, state));
      return;
    }
    for (RowChange change : changes) {
      if (change.of(Rows.LEADER) && loops.contains(change.key().lastPart())) {
        look(change.key().lastPart(), state);
      }
    }
  }

  private void look(String name, ClusterState state) {
    if (closed) {
      return;
    }
    Row<LeaderRow> row = state.row(Rows.LEADER.key(name));
    boolean foreign = row != null && !row.value().getHolder().equals(me) && !row.value().getAddress().isEmpty();
    String now = foreign ? row.value().getHolder() : "";
    String address = foreign ? row.value().getAddress() : "";
    String before = holderOf.getOrDefault(name, "");
    Watched known = watched.get(now);
    if (now.equals(before) && (known == null || known.address.equals(address))) {
      return;
    }
    holderOf.put(name, now);
    if (!before.equals(now) && gone(before)) {
      mistakes.lost(name, before);
    }
    boolean returned = foreign && !before.equals(now) && mistakes.returned(name, now);
    if (returned) {
      LOG.warn("the holder {} was believed to have ended, and lives: is {} where other managers reach it?", now, address);
    }
    if (foreign && (returned || known == null || !known.address.equals(address))) {
      if (known != null) {
        known.forget();
      }
      Watched fresh = new Watched(now, address);
      watched.put(now, fresh);
      fresh.call();
    }
    if (!before.isEmpty() && !holderOf.containsValue(before)) {
      watched.remove(before).forget();
    }
  }

  /** Whether the process of this id is known to have ended. */
  public synchronized boolean gone(String holder) {
    Watched one = watched.get(holder);
    return one != null && one.known.gone();
  }

  @Override
  public synchronized void close() {
    closed = true;
    watched.values().forEach(Watched::forget);
    watched.clear();
  }

  private static void close(AutoCloseable open) {
    try {
      open.close();
    } catch (Exception e) {
      throw new IllegalStateException("a call that cannot be ended", e);
    }
  }
}
