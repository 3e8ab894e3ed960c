package dev.skep.dispatcher.shell;

import dev.skep.dispatcher.core.AssignmentSet;
import dev.skep.dispatcher.core.Assignments;
import dev.skep.dispatcher.core.ClusterTrust;
import dev.skep.dispatcher.core.Concern;
import dev.skep.dispatcher.core.FeedKeys;
import dev.skep.dispatcher.core.SessionKey;
import dev.skep.dispatcher.core.Silence;
import dev.skep.dispatcher.core.Withdrawals;
import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.LogSubscription;
import dev.skep.dispatcher.v1.SessionMessage;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeSpecRow;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;

/** One node's open session with its streams. All but the key belongs to the dispatcher's thread. */
final class NodeSession {
  private final SessionKey key;
  private final boolean inProcess;
  private final long openedAt; // the revision of its row: nothing is served from an older state
  private final Outlet<SessionMessage> messages;
  private final List<LogSubscription> subscriptions = new ArrayList<>();
  private boolean greeted;
  private ClusterTrust told = ClusterTrust.UNTOLD;
  private boolean roleUntold = true; // or it may have changed

  private Outlet<AssignmentsMessage> assignments;
  private long assignmentsFrom;
  private AssignmentSet sent; // null until the complete set went out
  private Concern concern = Concern.NONE;

  private Outlet<FeedUpdate> feed;
  private long feedFrom;
  private boolean feedBegun;
  private final Set<String> feedKeys = new HashSet<>(); // every node has all that moves: they are put in order once for all
  private String appliedEpoch = "";
  private long appliedRevision;

  NodeSession(SessionKey key, boolean inProcess, long openedAt, ServerCallStreamObserver<SessionMessage> messages) {
    this.key = key;
    this.inProcess = inProcess;
    this.openedAt = openedAt;
    this.messages = new Outlet<>(messages);
  }

  SessionKey key() {
    return key;
  }

  String nodeId() {
    return key.nodeId();
  }

  boolean inProcess() {
    return inProcess;
  }

  /** Whether a state is new enough to speak for the session. */
  boolean servedBy(ClusterState state) {
    return state.revision() >= openedAt;
  }

  // ---- the session stream ----

  void tell(LogSubscription subscription) {
    subscriptions.add(subscription);
  }

  /** The node's role may be another one. */
  void specMoved() {
    roleUntold = true;
  }

  void sendMessages(ClusterState state, ClusterTrust trust) {
    boolean news = !subscriptions.isEmpty() || (servedBy(state) && (roleUntold || !trust.equals(told)));
    if ((greeted && !news) || !messages.ready()) {
      return;
    }
    SessionMessage.Builder message = SessionMessage.newBuilder().setSessionId(key.sessionId());
    message.setHeartbeatPeriodNanos(beat(state).toNanos()).addAllLogSubscriptions(subscriptions);
    if (servedBy(state)) {
      tell(message, state, trust);
    }
    messages.send(message.build());
    greeted = true;
    subscriptions.clear();
  }

  /** What has changed since it was told last. A node that missed it hears all of it again with its next session. */
  private void tell(SessionMessage.Builder message, ClusterState state, ClusterTrust trust) {
    if (!trust.managers().equals(told.managers())) {
      message.addAllManagers(ClusterTrust.inOrder(trust.managers(), nodeId()));
    }
    NodeSpecRow spec = state.value(Rows.NODE_SPEC.key(nodeId()));
    if (roleUntold && spec != null) {
      message.setRole(spec.getSpec().getRole());
      roleUntold = false;
    }
    if (!trust.roots().equals(told.roots())) {
      message.addAllRootsPem(trust.roots());
    }
    message.setRenew(!trust.issuer().equals(told.issuer()) && trust.outdated(state, nodeId()));
    told = trust;
  }

  Duration beat(ClusterState state) {
    Silence silence = Silence.of(state);
    return inProcess ? silence.beatInProcess() : silence.beat();
  }

  // ---- assignments ----

  /** {@code from}: the store's revision when the node asked. It may be asking whether what it heard before was true. */
  void openAssignments(ServerCallStreamObserver<AssignmentsMessage> observer, long from) {
    if (assignments != null) {
      assignments.fail(Status.ABORTED.withDescription("the node opened another stream of assignments"));
    }
    assignments = new Outlet<>(observer);
    assignmentsFrom = from;
    sent = null;
    concern = Concern.NONE;
  }

  /** What may have changed for the node; kept until there is room to send. */
  void concern(Concern more) {
    if (sent != null) {
      concern = concern.and(more);
    }
  }

  /** Everything may have changed. What was sent is known, so the differences to it are all that has to go out. */
  void concernAll(ClusterState state, Withdrawals withdrawals) {
    if (sent != null) {
      AssignmentSet now = Assignments.of(state, nodeId(), withdrawals);
      concern(Concern.of(sent.tasks().keySet(), sent.networks().keySet()).and(Concern.of(now.tasks().keySet(), now.networks().keySet())));
    }
  }

  void sendAssignments(
      ClusterState state, Withdrawals withdrawals, Credentials credentials, BiConsumer<ClusterState, AssignmentsMessage> sentNow) {
    boolean nothing = assignments == null || (sent != null && concern.isEmpty());
    if (nothing || !servedBy(state) || state.revision() < assignmentsFrom || !assignments.ready()) {
      return;
    }
    if (sent == null) {
      sent = Assignments.of(state, nodeId(), withdrawals);
      AssignmentsMessage message = Assignments.complete(state, sent);
      assignments.send(credentials.into(message, state));
      sentNow.accept(state, message);
    } else {
      AssignmentSet now = Assignments.update(sent, state, concern, withdrawals);
      Optional<AssignmentsMessage> difference = Assignments.difference(state, sent, now);
      sent = now;
      concern = Concern.NONE;
      if (difference.isPresent()) {
        assignments.send(credentials.into(difference.get(), state));
        sentNow.accept(state, difference.get());
      }
    }
  }

  // ---- the feed ----

  void openFeed(ServerCallStreamObserver<FeedUpdate> observer, long from) {
    if (feed != null) {
      feed.fail(Status.ABORTED.withDescription("the node opened another feed"));
    }
    feed = new Outlet<>(observer);
    feedFrom = from;
    feedBegun = false;
    feedKeys.clear();
  }

  void feedChanged(Set<String> keys) {
    if (feedBegun) {
      feedKeys.addAll(keys);
    }
  }

  /** @param differences those that were made for other nodes at this state, by their keys: most nodes miss the same */
  void sendFeed(ClusterState state, Map<String, FeedEntry> entries, Map<Set<String>, FeedUpdate> differences) {
    boolean nothing = feed == null || (feedBegun && feedKeys.isEmpty());
    if (nothing || !servedBy(state) || state.revision() < feedFrom || !feed.ready()) {
      return;
    }
    if (!feedBegun) {
      feedBegun = true;
      feed.send(FeedKeys.complete(state, entries.values()));
    } else {
      feed.send(differences.computeIfAbsent(Set.copyOf(feedKeys), keys -> FeedKeys.difference(state, entries, new TreeSet<>(keys))));
    }
    feedKeys.clear();
  }

  /** True when the node has applied more than it had at its last beat. */
  boolean applied(String epoch, long revision) {
    boolean news = !epoch.equals(appliedEpoch) || revision != appliedRevision;
    appliedEpoch = epoch;
    appliedRevision = revision;
    return news;
  }

  /** The feed revision that counts for withdrawals; empty for a node that takes no feed. */
  Optional<Long> appliedRevision(String epoch) {
    if (feed == null) {
      return Optional.empty();
    }
    return Optional.of(epoch.equals(appliedEpoch) ? appliedRevision : 0L);
  }

  void close(Status why) {
    messages.fail(why);
    if (assignments != null) {
      assignments.fail(why);
    }
    if (feed != null) {
      feed.fail(why);
    }
  }
}
