package dev.skep.skepd.sim;

import dev.skep.state.ClusterState;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.SessionRow;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.testkit.sim.SimStore.Landed;
import dev.skep.testkit.sim.Violation;
import dev.skep.testkit.sim.World;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Of a node only the dispatcher that holds its session says anything. What its tasks do nobody else says at all; that it is
 * silent says also whoever judges those whose dispatcher is gone.
 */
final class SessionLaw {
  private static final Duration A_MOMENT = Duration.ofSeconds(12); // as late as a judgement may land

  private final World world;
  private final Map<String, Duration> back = new HashMap<>(); // dispatchers whose row was gone, to when it came back
  private final Set<String> known = new HashSet<>();

  SessionLaw(World world) {
    this.world = world;
  }

  void check(Landed landed) {
    if (!landed.writer().startsWith(SimDispatcher.WRITER)) {
      return;
    }
    String me = landed.writer().substring(SimDispatcher.WRITER.length());
    for (RowChange change : landed.changes()) {
      if (change.of(Rows.PEER) && change.before() == null && !known.add(me)) {
        back.put(me, world.elapsed());
      }
      switch (change.after() == null ? null : change.after().value()) {
        case SessionRow session -> own(landed, me, session);
        case TaskStatusRow status -> reported(landed, me, status.getNodeId(), change);
        case NodeStatusRow node -> judged(landed, me, node.getNodeId(), change);
        case null, default -> {
          // nobody else's to say
        }
      }
    }
  }

  private static void own(Landed landed, String me, SessionRow session) {
    if (!session.getDispatcherId().equals(me)) {
      throw new Violation(landed.writer() + " opens a session with another dispatcher: " + session);
    }
  }

  private static String holder(ClusterState state, String nodeId) {
    SessionRow session = state.value(Rows.SESSION.key(nodeId));
    return session == null ? "" : session.getDispatcherId();
  }

  private static void reported(Landed landed, String me, String nodeId, RowChange change) {
    String holder = holder(landed.before(), nodeId);
    if (!holder.equals(me)) {
      throw new Violation(landed.writer() + " writes " + change.key() + " of " + nodeId + ", whose session is with '" + holder + "'");
    }
  }

  private void judged(Landed landed, String me, String nodeId, RowChange change) {
    String holder = holder(landed.after(), nodeId);
    boolean there = !holder.isEmpty() && landed.before().has(Rows.PEER.key(holder));
    // One whose row has just come back was gone when it was decided that its nodes are silent.
    boolean lives = there && (!back.containsKey(holder) || back.get(holder).plus(A_MOMENT).compareTo(world.elapsed()) < 0);
    if (!holder.equals(me) && lives) {
      throw new Violation(landed.writer() + " writes " + change.key() + ", whose session is with " + holder + ", which lives");
    }
  }
}
