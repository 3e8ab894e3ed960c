package dev.skep.skepd.sim;

import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.testkit.sim.SimProcess;
import dev.skep.testkit.sim.SimStore.Landed;
import dev.skep.testkit.sim.Violation;
import dev.skep.testkit.sim.World;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * No manager for a long time, while machines reboot and agents, edges and engines restart. What ran runs on and is found by its
 * name; what ended by itself is reported when a manager is back, as it was.
 */
final class Absence {
  private static final Duration LAST_TROUBLE = Duration.ofSeconds(13); // the last of three managers that join starts 12 s later
  private static final Duration QUIET = Duration.ofSeconds(3);
  private static final int SHORTEST_MINUTES = 5;
  private static final int LONGEST_MINUTES = 60;
  private static final int MOST_EVENTS = 12;

  private final SimCluster cluster;
  private final World world;
  private final RandomGenerator random;
  private final Map<String, Container> ran = new HashMap<>(); // by task
  private final Map<SimNode, Long> knew = new HashMap<>(); // the feed's revision that machine's edge showed
  private final Map<String, Long> ended = new HashMap<>(); // task to exit code
  private final Set<String> reported = new HashSet<>();

  Absence(SimCluster cluster) {
    this.cluster = cluster;
    this.world = cluster.world();
    this.random = world.split();
    cluster.store().watch(this::landed);
  }

  /** Lives through it, and looks at what is left before anybody comes back. */
  void pass() {
    world.runUntil(world.elapsed().plus(LAST_TROUBLE)); // whoever was about to start has started
    world.note("absence", "of all managers begins");
    cluster.control().forEach(SimProcess::crash);
    cluster.nodes().forEach(SimNode::repair);
    world.runUntil(world.elapsed().plus(QUIET)); // what was under way ends, and what was to be kept is kept
    remember();
    Duration whole = Duration.ofMinutes(random.nextInt(SHORTEST_MINUTES, LONGEST_MINUTES));
    int events = 1 + random.nextInt(MOST_EVENTS);
    for (int i = 0; i < events; i++) {
      strike(cluster.nodes().get(random.nextInt(cluster.nodes().size())));
      world.runUntil(world.elapsed().plus(whole.dividedBy(events)));
    }
    cluster.nodes().forEach(SimNode::repair);
    world.runUntil(world.elapsed().plus(QUIET).plus(QUIET));
    look();
    world.note("absence", "ends");
    cluster.control().forEach(SimProcess::start);
  }

  private void remember() {
    for (SimNode node : cluster.nodes()) {
      if (node.member()) {
        knew.put(node, node.agent().feed().revision());
        Set<String> wanted = node.agent().wanted();
        node.engine().running().stream().filter(container -> wanted.contains(container.task.getId()) && container.well())
            .forEach(container -> ran.put(container.task.getId(), container));
      }
    }
  }

  private void strike(SimNode node) {
    Duration down = Duration.ofMillis(random.nextLong(20, 20_000));
    switch (random.nextInt(6)) {
      case 0 -> crash(node.process(), down);
      case 1 -> crash(node.edge(), down);
      case 2 -> {
        node.engine().stop();
        world.after(down, node.engine()::start);
      }
      case 3 -> exit(node);
      default -> {
        crash(node.process(), down);
        crash(node.edge(), down);
        node.engine().stop();
        world.after(down, node.engine()::start);
      }
    }
  }

  private void crash(SimProcess process, Duration down) {
    process.crash();
    world.after(down, process::start);
  }

  private void exit(SimNode node) {
    List<Container> running = node.engine().running().stream().filter(container -> container.nodeId().equals(node.id())).toList();
    if (!running.isEmpty() && node.engine().up()) {
      Container container = running.get(random.nextInt(running.size()));
      long code = random.nextInt(3);
      ran.remove(container.task.getId());
      if (ended.putIfAbsent(container.task.getId(), code) == null) {
        node.engine().exit(container, code);
      }
    }
  }

  private void look() {
    ran.forEach((task, container) -> {
      if (cluster.nodes().stream().noneMatch(node -> node.id().equals(container.nodeId()) && node.engine().ofTask(task) == container)) {
        throw new Violation(container + " is gone, though no manager said so");
      }
      if (!container.running() && container.health != dev.skep.agent.core.Observation.Health.UNHEALTHY) {
        throw new Violation(container + " does not run any more, though nobody stopped it and no manager was there");
      }
    });
    knew.forEach((node, revision) -> {
      if (node.edgeFeed().revision() < revision) {
        throw new Violation("the edge of " + node.id() + " has forgotten what it knew at " + revision + ": it is at " + node.edgeFeed().revision());
      }
      if (node.agent().feed().revision() < revision) {
        throw new Violation("the agent of " + node.id() + " has forgotten the endpoints that it knew at " + revision);
      }
    });
  }

  private void landed(Landed landed) {
    for (RowChange change : landed.changes()) {
      if (change.of(Rows.STATUS) && change.after() != null) {
        reported((TaskStatusRow) change.newest());
      }
    }
  }

  private void reported(TaskStatusRow status) {
    Long code = ended.get(status.getTaskId());
    if (code == null || status.getStateValue() <= TaskState.TASK_RUNNING_VALUE || !reported.add(status.getTaskId())) {
      return;
    }
    boolean asItWas = status.getState() == TaskState.TASK_ORPHANED
        || status.getContainer().getExitCode() == code && (status.getState() == TaskState.TASK_COMPLETE) == (code == 0);
    if (!asItWas && status.getState() != TaskState.TASK_SHUTDOWN) {
      throw new Violation("task " + status.getTaskId() + " ended with " + code + " while no manager was there, and is said to be " + status);
    }
  }
}
