package dev.skep.dispatcher.core;

import dev.skep.state.ChangeSet;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeStatusRow;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/** Nodes that beat and one judge, in virtual time: true time moves in an event queue, the judge's clock may jump. */
final class JudgedCluster {
  private static final Duration LONGEST = Duration.ofMinutes(2);

  private record Event(Instant at, long order, Runnable body) {}

  private final Random random;
  private final Walk walk;
  private final PriorityQueue<Event> events = new PriorityQueue<>(Comparator.comparing(Event::at).thenComparing(Event::order));
  private final Map<String, Heard> heard = new HashMap<>();
  private final Set<String> mute = new HashSet<>();
  private final Set<String> inProcess = new HashSet<>();
  private final List<String> nodes = new ArrayList<>();
  private final Map<String, List<NodeLife>> happened = new LinkedHashMap<>();
  private final Map<String, Map<NodeLife, Instant>> firstTimes = new HashMap<>();
  private Instant time = LivenessTest.start();
  private Duration clockError = Duration.ZERO;
  private Instant judgeSleepsFrom = time;
  private Instant judgeSleepsUntil = time;
  private Duration starvation = Duration.ZERO;
  private Duration leastStarvation = Duration.ZERO;
  private boolean unregistered;
  private final Set<String> registered = new HashSet<>();
  private final Map<String, RegistrationLimit> limits = new HashMap<>();
  private int refused;
  private boolean strangers = true;
  private double lost;
  private double delayed;
  private long order;
  private Liveness judge;
  private boolean cutOff;

  JudgedCluster(long seed, int count) {
    random = new Random(seed);
    walk = new Walk(seed, 1, 1, 1, 1);
    judge = Liveness.fresh(clock());
    for (int i = 0; i < count; i++) {
      String node = "n" + i;
      nodes.add(node);
      LivenessTest.node(walk, node);
      at(time.plusMillis(random.nextInt(250)), () -> beat(node));
    }
    at(time, this::tick);
  }

  Walk walk() {
    return walk;
  }

  /** What the node's agent reports of its engine. */
  void engineProblem(String node, String problem) {
    NodeStatusRow row = walk.state().value(Rows.NODE_STATUS.key(node)).toBuilder().setEngineProblem(problem).build();
    walk.apply(ChangeSet.about(node).put(Rows.NODE_STATUS.key(node), row).build());
  }

  void run(Duration duration) {
    Instant end = time.plus(duration);
    while (!events.isEmpty() && !events.peek().at.isAfter(end)) {
      next();
    }
    time = end;
  }

  Duration runUntil(String node, NodeLife life) {
    Instant begun = time;
    while (life(node) != life) {
      next();
      if (time.isAfter(begun.plus(LONGEST))) {
        throw new AssertionError(node + " is still " + life(node) + " and not " + life);
      }
    }
    return Duration.between(begun, time);
  }

  private void next() {
    Event event = events.remove();
    time = event.at.isAfter(time) ? event.at : time;
    event.body.run();
  }

  private void at(Instant when, Runnable body) {
    events.add(new Event(when, order++, body));
  }

  private Instant clock() {
    return time.plus(clockError);
  }

  private void beat(String node) {
    at(time.plus(Silence.of(walk.state()).beat()), () -> beat(node));
    if (unregistered && !registered.contains(node)) {
      return; // it knocks, and beats when it has a session
    }
    if (!mute.contains(node) && random.nextDouble() >= lost) {
      Instant arrives = random.nextDouble() < delayed ? time.plusMillis(random.nextInt(200)) : time;
      at(arrives, () -> arrived(node));
    }
  }

  private void arrived(String node) {
    if (judgeSleeps()) {
      // It waits in the judge's socket, and is read some time after the process goes on: maybe after its first tick.
      at(judgeSleepsUntil.plusMillis(random.nextInt(60)), () -> arrived(node));
      return;
    }
    heard.put(node, new Heard(clock(), inProcess.contains(node)));
  }

  private boolean judgeSleeps() {
    return !time.isBefore(judgeSleepsFrom) && time.isBefore(judgeSleepsUntil);
  }

  private void tick() {
    if (judgeSleeps()) {
      at(judgeSleepsUntil, this::tick);
      return;
    }
    Liveness.Judgement judgement = (cutOff ? judge.cutOff(clock()) : judge).judge(walk.state(), Map.copyOf(heard), strangers, clock());
    judge = judgement.next();
    for (ChangeSet change : judgement.decision().changes()) {
      walk.apply(change).changes().forEach(this::note);
    }
    Duration sleep = Duration.between(clock(), judgement.decision().wakeAt().orElseThrow());
    at(time.plus(sleep), this::tick);
    if (!starvation.isZero()) {
      judgeSleepsFrom = time.plus(sleep);
      judgeSleepsUntil = judgeSleepsFrom.plusMillis(random.nextLong(leastStarvation.toMillis(), starvation.toMillis()));
    }
  }

  private void note(RowChange change) {
    if (change.of(Rows.NODE_STATUS)) {
      NodeLife life = NodeLife.of((NodeStatusRow) change.after().value());
      happened.computeIfAbsent(change.key().lastPart(), id -> new ArrayList<>()).add(life);
      firstTimes.computeIfAbsent(change.key().lastPart(), id -> new HashMap<>()).putIfAbsent(life, time);
    }
  }

  NodeLife life(String node) {
    return NodeLife.of(walk.state(), node);
  }

  String message(String node) {
    return walk.state().value(Rows.NODE_STATUS.key(node)).getMessage();
  }

  List<NodeLife> every() {
    return nodes.stream().map(this::life).toList();
  }

  Map<String, List<NodeLife>> everythingThatHappened() {
    return new TreeMap<>(happened);
  }

  void silence(String node) {
    mute.add(node);
  }

  void speak(String node) {
    mute.remove(node);
  }

  void silenceAll() {
    mute.addAll(nodes);
  }

  void speakAll() {
    mute.clear();
  }

  /** Whether the judge has lost the store. */
  void cutOff(boolean now) {
    cutOff = now;
  }

  void inProcess(String node) {
    inProcess.add(node);
  }

  void lose(double share, double late) {
    lost = share;
    delayed = late;
  }

  void judgesStrangers(boolean does) {
    strangers = does;
  }

  void restartJudge() {
    heard.clear();
    judge = Liveness.fresh(clock());
  }

  void starveJudge(Duration upTo) {
    starveJudge(Duration.ZERO, upTo);
  }

  void starveJudge(Duration least, Duration upTo) {
    leastStarvation = least;
    starvation = upTo;
  }

  /** When the node was first said to be that, counted from a moment; empty when it never was. */
  Optional<Duration> first(String node, NodeLife life, Instant from) {
    return Optional.ofNullable(firstTimes.getOrDefault(node, Map.of()).get(life)).map(at -> Duration.between(from, at));
  }

  Instant time() {
    return time;
  }

  /** Forgets what was, not how nodes stand. */
  void forgetThePast() {
    happened.clear();
    firstTimes.clear();
  }

  int refused() {
    return refused;
  }

  /**
   * The manager restarts: every node knocks, with the agent's back-off, at a dispatcher whose registrations of the first
   * second fail with this probability.
   */
  void restartManager(Duration away, double failing) {
    unregistered = true;
    registered.clear();
    heard.clear();
    limits.clear();
    judgeSleepsFrom = time;
    judgeSleepsUntil = time.plus(away);
    at(judgeSleepsUntil, () -> judge = Liveness.fresh(clock()));
    for (String node : nodes) {
      knock(node, Duration.ofMillis(20), failing);
    }
  }

  private void knock(String node, Duration pause, double failing) {
    Duration wait = Duration.ofMillis(random.nextLong(pause.toMillis() / 2, pause.toMillis() + 1));
    at(time.plus(wait), () -> {
      Duration longer = pause.multipliedBy(2).compareTo(Duration.ofSeconds(4)) > 0 ? Duration.ofSeconds(4) : pause.multipliedBy(2);
      if (judgeSleeps() || mute.contains(node)) {
        knock(node, longer, failing);
        return;
      }
      heard.put(node, Heard.knocking(clock()));
      Optional<RegistrationLimit> limit = limits.getOrDefault(node, RegistrationLimit.FRESH).admit(clock());
      limit.ifPresent(counted -> limits.put(node, counted));
      refused += limit.isEmpty() ? 1 : 0;
      if (limit.isEmpty() || time.isBefore(judgeSleepsUntil.plusSeconds(1)) && random.nextDouble() < failing) {
        knock(node, longer, failing);
      } else {
        registered.add(node);
        heard.put(node, new Heard(clock(), false));
      }
    });
  }

  /** The judge's process stands still while nodes and time go on. */
  void pauseJudge(Duration duration) {
    judgeSleepsFrom = time;
    judgeSleepsUntil = time.plus(duration);
    run(duration);
  }

  /** Everything stands still, and afterwards all clocks show the true time: a suspended machine. */
  void pauseWorld(Duration duration) {
    jumpClock(duration);
  }

  void jumpClock(Duration by) {
    clockError = clockError.plus(by);
  }
}
