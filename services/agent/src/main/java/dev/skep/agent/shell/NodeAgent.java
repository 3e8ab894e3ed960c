package dev.skep.agent.shell;

import dev.skep.agent.AgentConfig;
import dev.skep.agent.core.Adoption;
import dev.skep.agent.core.AssignmentSet;
import dev.skep.agent.core.Ownership;
import dev.skep.api.v1.NodeDescription;
import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.Beat;
import dev.skep.dispatcher.v1.DispatcherGrpc;
import dev.skep.dispatcher.v1.LogSubscription;
import dev.skep.dispatcher.v1.NodeReport;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership.Identity;
import dev.skep.state.FeedState;
import dev.skep.state.v1.TaskStatusRow;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** This node's life in one cluster: from the identity that it was given until it leaves or the process ends. */
final class NodeAgent implements Session.Node, Tasks.Surroundings, EngineEvents.Listener {
  static final String ASSIGNMENTS = "assignments";
  static final String FEED = "feed";
  static final String BOOT = "boot";
  private static final Logger LOG = LoggerFactory.getLogger(NodeAgent.class);
  private static final String NO_CONTROL_SERVICES = "its agent runs in a process of its own, and nothing on that host can start control"
      + " services: run skepd there, or join another host with a manager's token";
  private static final Duration RETRY = Duration.ofMillis(200);

  private final Host host;
  private final AgentConfig config;
  private final Mailbox agent;
  private final Identity identity;
  private final Engine engine;
  private final Edges edges;
  private final AgentMetrics metrics;
  private final Disk disk;
  private final Boot boot;
  private final Ownership ownership;
  private final Containers containers;
  private final Tasks tasks;
  private final NetworkKeeper networks;
  private final EngineEvents events;
  private final NodeTrust trust;
  private final Session session;
  private final TaskLogs logs;
  private AssignmentSet assignments = AssignmentSet.empty();
  private FeedState feed = FeedState.empty();
  private final FactsWatch facts;
  private NodeReport reported = NodeReport.getDefaultInstance();
  private long beaten;
  private boolean sessionAsked;
  private boolean authoritative;
  private Instant lostAt;
  private Outage outage = Outage.NONE;
  private long engineLife;
  private boolean closed;

  NodeAgent(Host host, AgentConfig config, Mailbox agent, Identity identity, Engine engine, Edges edges, AgentMetrics metrics) {
    this.host = host;
    this.config = config;
    this.agent = agent;
    this.identity = identity;
    this.engine = engine;
    this.edges = edges;
    this.metrics = metrics;
    var folder = host.dataFolder("agent");
    this.disk = new Disk(folder, host, agent);
    this.boot = new Boot(folder);
    this.ownership = new Ownership(config.instance(), identity.clusterId(), identity.nodeId());
    Commands commands = new Commands(config.commandPrefix());
    this.containers = new Containers(engine, folder.resolve("resolv"));
    this.tasks = new Tasks(host, agent, containers, new Images(engine, host, config.pullPatience(), metrics), config, metrics, this);
    NodeNetworks nodeNetworks = new NodeNetworks(engine, commands, ownership, () -> ThreadLocalRandom.current().nextLong(), metrics.ruleChanges());
    String underlay = identity.dataPathAddress().isEmpty() ? identity.advertiseAddress() : identity.dataPathAddress();
    this.networks =
        new NetworkKeeper(
            host,
            agent,
            nodeNetworks,
            new FirewallGuard(commands, ownership),
            new NetworkDrift(engine, commands, ownership),
            ownership,
            new NetworkKeeper.Underlay(underlay, config.mtu() == 0 ? NodeFacts.mtu(underlay) : config.mtu()),
            edges::dnsPort,
            this::networksMoved);
    this.facts = new FactsWatch(host, agent, engine, commands, underlay, this::described);
    this.events = new EngineEvents(engine, host, agent, identity.clusterId(), this);
    this.trust = new NodeTrust(host, agent, identity.nodeId(), this::reportNode);
    this.session = new Session(host, agent, identity.nodeId(), trust, this);
    this.logs = new TaskLogs(engine, host, identity.nodeId(), tasks::task);
  }

  /** On the agent's thread, as everything here. */
  void start() {
    LOG.info("node {} of cluster {}", identity.nodeId(), identity.clusterId());
    disk.read(FEED, FeedUpdate.parser()).ifPresent(update -> takeFeed(update, false));
    disk.read(ASSIGNMENTS, AssignmentsMessage.parser())
        .ifPresent(
            message -> {
              assignments = AssignmentSet.ofDurable(message);
              LOG.info("{} tasks known from revision {}", assignments.tasks().size(), assignments.revision());
            });
    tasks.assign(assignments.tasks());
    networks.assigned(assignments.networks());
    edges.follow(identity.nodeId(), this::edgeMoved);
    events.start();
    watch();
  }

  private void watch() {
    if (!closed) {
      facts.look();
      networks.watch();
      host.after(config.watch(), () -> agent.execute(this::watch));
    }
  }

  private void described() {
    if (!sessionAsked && !closed) {
      sessionAsked = true;
      session.open(); // not before: the first report says what the node is
    }
    reportNode();
  }

  // ---- the engine ----

  @Override
  public void up(Instant since) {
    long life = ++engineLife;
    host.blocking(
        "agent-resync",
        () -> {
          try {
            NodeDescription now = NodeFacts.describe(engine);
            List<Adoption.Found> found = Leftovers.containers(engine);
            agent.execute(() -> resync(life, since, now, found));
          } catch (EngineException e) {
            LOG.warn("{}; looked at again", e.getMessage());
            host.after(RETRY, () -> agent.execute(() -> again(life, since)));
          }
        });
  }

  private void again(long life, Instant since) {
    if (life == engineLife && !closed) {
      up(since);
    }
  }

  private void resync(long life, Instant since, NodeDescription now, List<Adoption.Found> found) {
    if (life != engineLife || closed) {
      return;
    }
    Adoption adoption = Adoption.of(ownership, found, assignments.tasks().keySet(), authoritative);
    Leftovers.end(adoption.doomed(), containers, host);
    String version = now.getEngine().getEngineVersion();
    LOG.info("engine {}: {} containers adopted, {} to remove", version, adoption.adopted().size(), adoption.doomed().size());
    networks.engineUp(now.getHostname());
    var around =
        new Containers.Node(ownership, now.getHostname(), now.getPlatform().getArchitecture(), now.getPlatform().getOs());
    tasks.engineUp(around, outage(since), adoption.adopted().keySet());
    lostAt = null;
    facts.look();
  }

  private Outage outage(Instant back) {
    if (boot.isNew()) {
      boot.remember();
      outage = new Outage(Instant.MIN, back);
    } else if (lostAt != null) {
      outage = new Outage(lostAt, host.clock().instant());
    }
    return outage;
  }

  @Override
  public void down(Instant since, String why) {
    LOG.warn("the engine is away: {}", why);
    engineLife++;
    facts.lookSoon();
    if (lostAt == null) {
      lostAt = since;
    }
    tasks.engineDown();
  }

  @Override
  public void happened(String taskId, String action, long exitCode) {
    tasks.happened(taskId, action, exitCode);
  }

  // ---- the cluster ----

  @Override
  public void assignments(AssignmentsMessage message, boolean confirmed) {
    switch (assignments.apply(message, tasks.running(), confirmed)) {
      case AssignmentSet.Outcome.Refused refused -> {
        LOG.warn("assignments refused: {}", refused.reason());
        session.reopenAssignments(false, RETRY);
      }
      case AssignmentSet.Outcome.Unconfirmed drastic -> {
        String share = drastic.removed() + " of " + drastic.running();
        LOG.warn("assignments at {} would remove {} running tasks; asking again", message.getRevision(), share);
        session.reopenAssignments(true, Duration.ZERO);
      }
      case AssignmentSet.Outcome.Applied applied -> take(applied.set());
    }
  }

  private void take(AssignmentSet next) {
    boolean first = !authoritative;
    authoritative = true;
    assignments = next;
    networks.assigned(next.networks());
    tasks.assign(next.tasks());
    keep();
    if (first) {
      up(host.clock().instant()); // containers that no task has can go now
    }
  }

  private void keep() {
    disk.write(
        ASSIGNMENTS,
        () -> {
          Map<String, TaskStatusRow> statuses = tasks.statuses(identity.nodeId());
          return assignments.durable(id -> statuses.getOrDefault(id, TaskStatusRow.getDefaultInstance()));
        });
  }

  @Override
  public void feed(FeedUpdate update) {
    takeFeed(update, true);
  }

  private void takeFeed(FeedUpdate update, boolean fresh) {
    switch (feed.apply(update)) {
      case FeedState.Outcome.Moved moved -> {
        feed = moved.state();
        edges.publish(fresh ? update : feed.toUpdate());
        networks.feed(feed);
        if (fresh) {
          disk.write(FEED, () -> feed.toUpdate());
        }
      }
      case FeedState.Outcome.Stale stale -> LOG.info("feed: {}", stale.reason());
      case FeedState.Outcome.NeedsComplete gap -> {
        LOG.warn("feed: {}; connecting again", gap.reason());
        session.restart();
      }
    }
  }

  @Override
  public void logs(LogSubscription subscription, DispatcherGrpc.DispatcherStub stub) {
    logs.handle(subscription, stub);
  }

  @Override
  public Beat position() {
    long applied = Math.min(Math.min(networks.applied(feed.epoch()), edges.applied(feed.epoch())), feed.revision());
    beaten = applied;
    metrics.feedRevision().set(applied);
    return Beat.newBuilder().setFeedEpoch(feed.epoch()).setFeedRevision(applied).build();
  }

  @Override
  public Collection<TaskStatusRow> opened() {
    return tasks.statuses(identity.nodeId()).values().stream().filter(row -> row.getState().getNumber() > 192).toList();
  }

  @Override
  public NodeReport report() {
    return NodeReport.newBuilder()
        .setDescription(trust.described(facts.description()))
        .setAdvertiseAddr(identity.advertiseAddress())
        .setDataPathAddr(identity.dataPathAddress())
        .setManagerAddr(identity.manager() ? identity.managers().stream().findFirst().orElse("") : "")
        .setEngineProblem(facts.engineProblem())
        .setCannotManage(config.controlServices() ? trust.cannotManage() : NO_CONTROL_SERVICES)
        .addAllRoutes(facts.routes(networks.ownBridges()))
        .addAllNetworkIds(new TreeSet<>(networks.standing()))
        .addAllPortProblems(edges.problems(facts.description().getHostname()))
        .addAllNetworkProblems(networks.problems())
        .build();
  }

  private void reportNode() {
    NodeReport now = report();
    if (!now.equals(reported) && session.isOpen()) {
      reported = now;
      session.reportNode();
    }
  }

  // ---- what tasks ask and tell ----

  @Override
  public Optional<String> networkProblem(TaskAssignment task) {
    return networks.problem(task);
  }

  @Override
  public boolean networksStand(TaskAssignment task) {
    return networks.stand(task);
  }

  @Override
  public String resolver(TaskAssignment task) {
    return networks.resolver(task);
  }

  @Override
  public void report(TaskStatusRow status) {
    session.report(status);
    keep();
  }

  @Override
  public void started(TaskAssignment task) {
    networks.started(task);
  }

  @Override
  public void gone() {
    networks.reconcile();
  }

  @Override
  public boolean engineAccepts() {
    return engine.accepts();
  }

  @Override
  public void engineLeaving(Instant since) {
    if (lostAt == null || since.isBefore(lostAt)) {
      lostAt = since;
    }
  }

  private void networksMoved() {
    tasks.networksMoved();
    reportNode();
    moved();
  }

  private void edgeMoved() {
    networks.reconcile();
    reportNode();
    moved();
  }

  /** A revision that is applied now is told at once: tasks that leave traffic wait for it. */
  private void moved() {
    long before = beaten;
    if (position().getFeedRevision() != before) {
      session.sendBeat();
    }
  }

  // ---- the end ----

  /** The process ends: everything goes on running. */
  void close() {
    closed = true;
    session.close();
    trust.close();
    events.close();
    logs.close();
    disk.close();
  }

  /** The node left the cluster: nothing of it stays. Blocks the agent's thread until done. */
  void leave() {
    close();
    networks.end(); // or it would put back what is removed now
    disk.clear(ASSIGNMENTS, FEED);
    edges.clear();
    metrics.tasks().clear();
    Leftovers.remove(engine, new Commands(config.commandPrefix()), config.instance(), host);
    LOG.info("node {} has left cluster {}", identity.nodeId(), identity.clusterId());
  }
}
