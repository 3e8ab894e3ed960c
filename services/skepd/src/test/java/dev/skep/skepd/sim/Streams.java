package dev.skep.skepd.sim;

import dev.skep.dispatcher.core.SessionKey;
import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.testkit.sim.Net.Stream;
import dev.skep.testkit.sim.SimProcess;
import java.util.function.BiFunction;

/** The agent's ends of the two streams of a session, for one life of the agent. */
final class Streams {
  /** Who reads them. */
  interface Receiver {
    /** @param confirmed the message opens a stream that was asked for to confirm an earlier one */
    void assigned(AssignmentsMessage message, boolean confirmed);

    void fed(FeedUpdate update);

    void broken(SessionKey key);

    /** Whether this attempt to get a session goes on. */
    boolean awaits(long attempt);
  }

  private final SimNode node;
  private final SimProcess process;
  private final int life;
  private final Receiver receiver;
  private final SecondLook law;
  private String key = "";
  private Stream<AssignmentsMessage> assignments;
  private Stream<FeedUpdate> feed;
  private boolean confirming;

  Streams(SimNode node, Receiver receiver, SecondLook law) {
    this.node = node;
    this.process = node.process();
    this.life = process.life();
    this.receiver = receiver;
    this.law = law;
  }

  /** The session whose streams these are. */
  String key() {
    return key;
  }

  /** Whether the next stream of assignments is opened to confirm something. */
  void confirm(boolean does) {
    confirming = does;
  }

  boolean serve(String session) {
    return !session.isEmpty() && session.equals(key) && assignments.open() && feed.open();
  }

  boolean assigning() {
    return assignments.open();
  }

  /** Called by the dispatcher: the two streams of a new session end here. */
  <S> S open(SimProcess from, SessionKey session, long attempt, BiFunction<Stream<AssignmentsMessage>, Stream<FeedUpdate>, S> make) {
    if (process.life() != life || !receiver.awaits(attempt)) {
      return make.apply(none(from), none(from));
    }
    if (feed != null) {
      feed.close();
    }
    key = session.sessionId();
    feed = node.net().open(from, process, receiver::fed, () -> receiver.broken(session));
    return make.apply(assignments(from, session), feed);
  }

  /** Called by the dispatcher: a stream of assignments, in the place of the one before. */
  Stream<AssignmentsMessage> assignments(SimProcess from, SessionKey session) {
    if (process.life() != life || !key.equals(session.sessionId())) {
      return none(from);
    }
    if (assignments != null) {
      assignments.close();
    }
    law.opened();
    boolean[] first = {true};
    boolean asked = confirming;
    assignments = node.net().open(from, process, message -> {
      boolean confirmed = asked && first[0];
      first[0] = false;
      receiver.assigned(message, confirmed);
    }, () -> receiver.broken(session));
    return assignments;
  }

  private <T> Stream<T> none(SimProcess from) {
    Stream<T> none = node.net().open(from, process, message -> { }, () -> { });
    none.close();
    return none;
  }
}
