package dev.skep.skepd.sim;

import dev.skep.agent.core.Search;
import dev.skep.dispatcher.core.SessionKey;
import dev.skep.dispatcher.core.Silence;
import dev.skep.state.ClusterState;
import dev.skep.testkit.sim.SimProcess;
import java.time.Duration;

/** An agent's way to the cluster: a session with one of the dispatchers, and with another when that one cannot serve. */
final class Connection {
  private static final Duration FIRST_PAUSE = Duration.ofMillis(20);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);
  private static final Duration PATIENCE = Duration.ofSeconds(3);
  private static final int MOST_UNANSWERED = 16;

  private final SimNode node;
  private final SimProcess process;
  private final SimAgent agent;
  private final Streams streams;
  private Seat seat; // of the session, or where it is asked for
  private String session = "";
  private boolean connecting;
  private long attempt;
  private Duration pause = FIRST_PAUSE;
  private Search search = Search.NONE;
  private int unanswered; // beats, since the dispatcher last answered one

  Connection(SimNode node, SimAgent agent, Streams streams) {
    this.node = node;
    this.process = node.process();
    this.agent = agent;
    this.streams = streams;
    this.seat = node.seat();
    beat();
  }

  void open() {
    if (connecting) {
      return;
    }
    connecting = true;
    session = "";
    long mine = ++attempt;
    Seat there = node.seat();
    seat = there;
    node.net().<Boolean>call(process, there.process(), () -> {
      there.dispatcher().register(agent, mine, agent.report(), id -> node.net().send(there.process(), process, () -> {
        if (mine == attempt) {
          answered(id.orElse(""));
        }
      }));
      return true;
    }, answer -> {
      if (answer.isEmpty()) {
        gaveUp(mine);
      }
    });
    process.after(PATIENCE, () -> gaveUp(mine));
  }

  private void gaveUp(long which) {
    if (which == attempt && connecting) {
      connecting = false;
      elsewhere();
    }
  }

  private void answered(String id) {
    session = id;
    connecting = false;
    if (!streams.serve(session)) { // also when the call was carried out twice, and the second time refused
      elsewhere();
      return;
    }
    pause = FIRST_PAUSE;
    search = Search.NONE;
    unanswered = 0;
    agent.opened();
  }

  /** It cannot be reached, or cannot serve: then perhaps another dispatcher. */
  private void elsewhere() {
    if (node.world().random().nextInt(3) > 0) {
      node.turn();
    }
    again();
  }

  /** To another dispatcher, for whatever reason. */
  void move() {
    if (node.turn()) {
      process.note("goes to another dispatcher");
      again();
    }
  }

  /** The session is over. */
  void again() {
    session = "";
    long mine = ++attempt;
    Duration wait = node.world().between(pause.dividedBy(2), pause);
    Duration doubled = pause.multipliedBy(2);
    pause = doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled;
    process.after(wait, () -> {
      if (mine == attempt) {
        connecting = false;
        open();
      }
    });
  }

  void broken(SessionKey key) {
    if (session.equals(key.sessionId()) || session.isEmpty()) {
      process.note("stream broke");
      again();
    }
  }

  /** A fresh stream of assignments. */
  void reopen(String mine) {
    Seat there = seat;
    node.net().call(process, there.process(), () -> {
      there.dispatcher().reopen(agent, mine);
      return true;
    }, answer -> {
      if (answer.isEmpty() && streams.key().equals(mine)) {
        again();
      }
    });
  }

  private void beat() {
    process.after(Silence.of(ClusterState.empty()).beat(), this::beat);
    if (session.isEmpty()) {
      return;
    }
    if (++unanswered > MOST_UNANSWERED && node.turn()) {
      process.note("hears nothing from " + seat.process().name());
      again();
      return;
    }
    String mine = session;
    String epoch = agent.feed().epoch();
    long applied = agent.applied();
    Seat there = seat;
    node.net().send(process, there.process(), () -> {
      Reply reply = there.dispatcher().beat(agent.nodeId(), mine, epoch, applied);
      node.net().send(there.process(), process, () -> replied(mine, reply));
    });
  }

  private void replied(String to, Reply reply) {
    if (!session.equals(to)) {
      return;
    }
    unanswered = 0;
    switch (reply) {
      case OVER -> again();
      case STAY -> search = Search.NONE;
      case LOST -> search();
    }
  }

  /** The dispatcher has lost the store: does another one have it? */
  private void search() {
    search = search.lost(process.now());
    if (!search.asks(process.now())) {
      return;
    }
    search = search.asked(process.now());
    String mine = session;
    for (Seat other : node.seats()) {
      node.net().send(process, other.process(), () -> other.dispatcher().ready(() -> node.net().send(other.process(), process, () -> {
        if (session.equals(mine) && !search.equals(Search.NONE)) {
          found(other);
        }
      })));
    }
  }

  private void found(Seat other) {
    search = search.found(process.now());
    if (search.sure(process.now())) {
      process.note("goes to " + other.process().name() + ", which has the store");
      node.choose(other);
      again();
    }
  }

  // ---- what is ----

  /** "" while there is none. */
  String session() {
    return session;
  }

  Seat seat() {
    return seat;
  }

  /** Whether this attempt to get a session goes on. */
  boolean awaits(long which) {
    return which == attempt;
  }

  @Override
  public String toString() {
    return "session " + session + " with " + seat.process().name() + (connecting ? ", connecting" : "");
  }
}
