package dev.skep.dispatcher.core;

import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decision;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeStatusRow;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The two-stage judge: a silent node is first suspect (out of traffic), then down (its tasks are replaced).
 *
 * <p>It distrusts itself first. When its own tick comes late by d, every deadline moves by d: a process that was
 * stopped, starved or suspended has not listened, and a clock that jumped has not measured. One that has just started
 * suspects nobody that did not register with it, until twice the grace has passed. And when more than a third of the
 * nodes fall silent within one grace, it believes that the fault is on its own side: none is withdrawn, and nodes are
 * given up only after three graces, or never while no node at all is heard, or the store is not. Once somebody is heard again,
 * the others have as long as ever: they come back one after the other.
 *
 * <p>A node that says that its engine is away gets no new tasks, and is down when that lasts: containers outlive many an
 * engine's end, and an engine that is started again has them back.
 *
 * @param startedAt when this judge began to listen
 * @param lastTick when it last judged
 * @param due when it should judge next so that it has listened all the time
 * @param watched what it remembers of each node
 * @param panicUntil the panic rule holds at least until then, so that it does not end between the beats of those that come back
 * @param deafUntil no silence before then costs a node its tasks: this dispatcher heard nobody at all
 */
public record Liveness(
    Instant startedAt, Instant lastTick, Instant due, SortedMap<String, Watched> watched, Instant panicUntil, Instant deafUntil) {
  /** The panic rule needs this many nodes: of two, one alone is half. */
  private static final int PANIC_NODES = 3;
  /** An engine may take 15 s to end its containers, and then has to start. */
  static final Duration ENGINE_GRACE = Duration.ofSeconds(30);

  /**
   * {@code base}: silence counts from here; {@code sign}: the last sign of life that was counted, or null; {@code
   * downAt}: when it was judged down, or null; {@code engineless}: since when it says that its engine is away, or null.
   */
  record Watched(Instant base, Instant sign, Instant downAt, Instant engineless) {}

  /** What the judge remembers, and what it wants written; {@code suspects} are counted for the metrics. */
  public record Judgement(Liveness next, Decision decision, int suspects, boolean panic) {}

  private record Judged(String nodeId, NodeStatusRow row, Duration silence, boolean stranger, Duration engineless) {
    /** Its process starts again, and it is not yet overdue. */
    boolean excused() {
      return silence.compareTo(Pause.granted(row)) < 0;
    }

    /** Silent, or so within a beat. */
    boolean quiet(Silence limits) {
      return silence.compareTo((stranger ? limits.freshGrace() : limits.suspect()).minus(limits.beat())) >= 0;
    }

    boolean silent(Silence limits) {
      return silence.compareTo(stranger ? limits.freshGrace() : limits.suspect()) >= 0;
    }
  }

  public Liveness {
    watched = Collections.unmodifiableSortedMap(new TreeMap<>(watched));
  }

  public static Liveness fresh(Instant now) {
    return new Liveness(now, now, now, new TreeMap<>(), now, now);
  }

  /** The store cannot be reached: whoever is cut off from it is likely cut off from nodes, too. */
  public Liveness cutOff(Instant now) {
    return new Liveness(startedAt, lastTick, due, watched, panicUntil, now);
  }

  /**
   * Judges all nodes. Everything that arrived before {@code now} must be in {@code heard}.
   *
   * @param heard nodes that registered with this dispatcher
   * @param strangers whether it also judges nodes that never did: only one dispatcher of a cluster may
   */
  public Judgement judge(ClusterState state, Map<String, Heard> heard, boolean strangers, Instant now) {
    return judge(state, heard, "", strangers, now);
  }

  /** @param me this dispatcher's id: nodes whose session is with another one that lives are that one's to judge */
  public Judgement judge(ClusterState state, Map<String, Heard> heard, String me, boolean strangers, Instant now) {
    Silence limits = Silence.of(state);
    Duration late = lateness(now);
    SortedMap<String, Watched> next = new TreeMap<>();
    List<Judged> nodes = new ArrayList<>();
    for (Row<NodeStatusRow> row : state.rows(Rows.NODE_STATUS)) {
      String id = row.key().lastPart();
      Heard sign = heard.get(id);
      boolean unknown = sign == null && !strangers;
      boolean over = row.value().getLeft() || !state.has(Rows.NODE_SPEC.key(id)); // also the host of this process, when it left
      if (over || unknown || Holding.elsewhere(state, id, me).isPresent()) {
        continue;
      }
      Watched watch = listened(watched.get(id), sign, late, now);
      boolean down = NodeLife.of(row.value()) == NodeLife.DOWN;
      Instant engineless = row.value().getEngineProblem().isEmpty() ? null : watch.engineless == null ? now : watch.engineless.plus(late);
      next.put(id, new Watched(watch.base, watch.sign, !down ? null : watch.downAt == null ? now : watch.downAt, engineless));
      Duration silence = sign != null && sign.inProcess() ? Duration.ZERO : Duration.between(watch.base, now);
      Duration without = engineless == null ? Duration.ZERO : Duration.between(engineless, now);
      nodes.add(new Judged(id, row.value(), silence, sign == null || !sign.session(), without));
    }
    Instant until = panicUntil.plus(late);
    Panic panic = Panic.of(nodes, next, limits, now, now.isBefore(until));
    until = panic.isPresent() && panic.now() ? now.plus(limits.suspect()) : until;
    Instant deaf = panic.nobodyHeard ? now : deafUntil.plus(late);
    Duration heardFor = Duration.between(deaf, now);
    Set<String> silent = new HashSet<>();
    nodes.stream().filter(node -> node.silent(limits)).forEach(node -> silent.add(node.nodeId));
    Decision.Builder decision = Decision.builder();
    int suspects = 0;
    for (Judged node : nodes) {
      NodeLife life = patient(life(node, panic, limits), node, panic, heardFor, limits);
      suspects += life == NodeLife.DISCONNECTED ? 1 : 0;
      if (life != NodeLife.of(node.row) || node.row.getState().isEmpty()) {
        decision.change(change(state, node, life, message(state, node, life, panic, silent, limits), now));
      }
    }
    // Nodes in this process are never accused; without others there is nothing that would not wait for the grace.
    boolean onlyNeighbours = nodes.stream().map(node -> heard.get(node.nodeId)).allMatch(sign -> sign != null && sign.inProcess());
    Instant wake = now.plus(onlyNeighbours ? limits.grace() : limits.tick());
    Decision decided = decision.wakeAt(wake).build();
    // Who judges nobody looks seldom, and cannot tell a clock that jumps meanwhile: such time counts as not listened to.
    return new Judgement(new Liveness(startedAt.plus(late), now, now.plus(limits.tick()), next, until, deaf), decided, suspects, panic.isPresent());
  }

  /** Positive when the tick came late, negative when the clock went back. */
  private Duration lateness(Instant now) {
    if (now.isBefore(lastTick)) {
      return Duration.between(lastTick, now);
    }
    return now.isAfter(due) ? Duration.between(due, now) : Duration.ZERO;
  }

  private Watched listened(Watched before, Heard sign, Duration late, Instant now) {
    if (before == null && sign != null) {
      // Nobody knows what happened to this clock since that sign, unless the time was measured.
      return new Watched(sign.measured() ? sign.at() : now, sign.at(), null, null);
    }
    // Whoever becomes this judge's to judge was somebody else's until its last look.
    Instant base = before == null ? lastTick : before.base;
    Instant counted = before == null ? null : before.sign;
    Instant downAt = before == null ? null : before.downAt;
    Instant engineless = before == null ? null : before.engineless;
    // A sign that was counted is not looked at again: after a clock went back it would stand in the future for long.
    if (sign != null && !sign.at().equals(counted)) {
      if (late.isNegative() && !sign.at().isAfter(now)) {
        return new Watched(sign.at(), sign.at(), downAt, engineless); // it came after the clock went back, and all else before
      }
      base = sign.at().isAfter(base) ? sign.at() : base;
      counted = sign.at();
    }
    base = base.plus(late);
    return new Watched(base.isAfter(now) ? now : base, counted, downAt, engineless);
  }

  /**
   * The panic rule; absent when it does not hold. It counts whoever will be suspect within a beat: of nodes that are cut off
   * at once one falls silent after the other, as their beats were spread, and the first must not be accused before the others
   * are noticed.
   */
  private record Panic(int silent, int total, boolean nobodyHeard, boolean now) {
    static final Panic NONE = new Panic(0, 0, false, false);

    static Panic of(List<Judged> nodes, Map<String, Watched> watched, Silence limits, Instant now, boolean held) {
      int silent = 0;
      int total = 0;
      boolean anyHeard = false;
      for (Judged node : nodes) {
        Instant downAt = watched.get(node.nodeId).downAt;
        if (downAt != null && node.silent(limits) && !downAt.plus(limits.grace()).isAfter(now) || node.excused()) {
          continue; // known to be down, or expected to be silent, and not part of what happens now
        }
        total++;
        if (node.quiet(limits)) {
          silent++;
        } else {
          anyHeard |= !node.stranger;
        }
      }
      boolean many = total >= PANIC_NODES && silent * 3 > total;
      return many || held && total > 0 ? new Panic(silent, total, !anyHeard, many) : NONE;
    }

    boolean isPresent() {
      return total > 0;
    }
  }

  private static NodeLife life(Judged node, Panic panic, Silence limits) {
    NodeLife known = NodeLife.of(node.row);
    if (!node.silent(limits)) {
      return node.stranger && !node.row.getState().isEmpty() ? known : withEngine(node);
    }
    if (known == NodeLife.DOWN) {
      return NodeLife.DOWN;
    }
    if (node.excused()) {
      return NodeLife.UNKNOWN;
    }
    if (panic.isPresent()) {
      boolean givenUp = !panic.nobodyHeard && node.silence.compareTo(limits.panicGrace()) >= 0;
      return givenUp ? NodeLife.DOWN : NodeLife.UNKNOWN;
    }
    // A stranger that is silent has been so for twice the grace.
    return node.silence.compareTo(limits.grace()) >= 0 ? NodeLife.DOWN : NodeLife.DISCONNECTED;
  }

  /** A silence counts against a node for as long as others were heard meanwhile. */
  private static NodeLife patient(NodeLife life, Judged node, Panic panic, Duration heardFor, Silence limits) {
    Duration grace = panic.isPresent() ? limits.panicGrace() : limits.grace();
    boolean condemned = life == NodeLife.DOWN && NodeLife.of(node.row) != NodeLife.DOWN && node.silent(limits);
    if (!condemned || heardFor.compareTo(grace) >= 0) {
      return life;
    }
    return panic.isPresent() ? NodeLife.UNKNOWN : NodeLife.DISCONNECTED;
  }

  private static NodeLife withEngine(Judged node) {
    if (node.row.getEngineProblem().isEmpty()) {
      return NodeLife.READY;
    }
    return node.engineless.compareTo(ENGINE_GRACE) >= 0 ? NodeLife.DOWN : NodeLife.UNKNOWN;
  }

  private static String message(ClusterState state, Judged node, NodeLife life, Panic panic, Set<String> silent, Silence limits) {
    if (!node.silent(limits)) {
      return node.row.getEngineProblem();
    }
    String since = "no heartbeat for " + node.silence.toMillis() + " ms";
    return switch (life) {
      case READY -> "";
      case DOWN -> "heartbeat failure: " + since;
      case UNKNOWN -> since + "; " + (node.excused()
          ? "its process starts again, and has " + Pause.granted(node.row).toSeconds() + " s for that"
          : panic.silent + " of " + panic.total + " nodes fell silent within " + limits.grace().toMillis() + " ms, so none is taken out of traffic");
      case DISCONNECTED -> {
        List<String> kept = keptServices(state, node.nodeId, silent);
        yield kept.isEmpty() ? since : since + "; still in traffic for services that run nowhere else: " + String.join(", ", kept);
      }
    };
  }

  private static List<String> keptServices(ClusterState state, String nodeId, Set<String> silent) {
    return Serving.servicesOn(state, nodeId).stream()
        .filter(service -> !Serving.runsElsewhere(state, service, node -> !silent.contains(node)))
        .toList();
  }

  private static ChangeSet.Builder change(ClusterState state, Judged node, NodeLife life, String message, Instant now) {
    NodeStatusRow row = node.row.toBuilder().setState(life.state()).setMessage(message).setUpdatedAt(Stamp.of(now)).build();
    Row<?> session = state.row(Rows.SESSION.key(node.nodeId));
    ChangeSet.Builder change = ChangeSet.about(node.nodeId);
    // Whoever opened a session elsewhere meanwhile is judged there.
    return (session == null ? change.absent(Rows.SESSION.key(node.nodeId)) : change.unmodified(session))
        .unmodified(state.row(Rows.NODE_STATUS.key(node.nodeId)))
        .present(Rows.NODE_SPEC.key(node.nodeId))
        .put(Rows.NODE_STATUS.key(node.nodeId), row);
  }
}
