package dev.skep.skepd.faults;

import dev.skep.backend.StoreException;
import dev.skep.relay.shell.ReplayMain;
import dev.skep.skepd.faults.User.Outcome;
import dev.skep.skepd.faults.User.Wish;
import dev.skep.skepd.faults.User.Write;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What must hold when a fault is over, and of everything that happened. */
final class Checks {
  private final Plant plant;
  private final List<User> users;
  private final Set<String> steady = new TreeSet<>(); // tasks that nothing may touch

  Checks(Plant plant, List<User> users) {
    this.plant = plant;
    this.users = users;
  }

  /** These containers run to the end. */
  void keepSteady(String service) {
    plant.ledger.running().stream().filter(task -> plant.history.intent(task).getServiceName().equals(service)).forEach(steady::add);
    expect(!steady.isEmpty(), "containers of " + service);
  }

  private static void expect(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  /** Waits until everything is as asked; nobody asks for anything meanwhile. */
  void converged(String after) {
    List<String> open = new ArrayList<>();
    try {
      Plant.await("everything is as asked after: " + after, () -> {
        open.clear();
        open.addAll(open());
        return open.isEmpty();
      });
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + "; open: " + open, e);
    }
    List<String> violations = new ArrayList<>(plant.history.violations());
    users.forEach(user -> violations.addAll(user.violations()));
    Set<String> running = plant.ledger.running();
    steady.stream().filter(task -> !running.contains(task)).forEach(task -> violations.add("the container of " + task + " was stopped for no reason"));
    expect(violations.isEmpty(), after + ": " + violations);
  }

  /** What is not as it should be yet. */
  private List<String> open() {
    ClusterState state;
    try {
      state = plant.observer.view().fresh(Plant.PATIENCE);
    } catch (StoreException e) { // a machine may be so busy that etcd is late
      return List.of(e.told());
    }
    if (plant.history.last() < state.revision()) {
      return List.of("the watch of the whole history is at " + plant.history.last() + " of " + state.revision());
    }
    Map<String, ServiceRow> services = new TreeMap<>(); // by name
    for (Row<ServiceRow> row : state.rows(Rows.SERVICE)) {
      services.put(row.value().getCurrent().getName(), row.value());
    }
    List<String> open = new ArrayList<>();
    for (User user : users) {
      user.wishes().forEach((name, wish) -> differs(services.get(name), name, wish, open));
      user.removed().stream().filter(services::containsKey).forEach(name -> open.add(name + " was removed and is there"));
    }
    Map<String, Integer> running = new HashMap<>(); // by service and template, as the engines have it
    for (String task : plant.ledger.running()) {
      TaskIntentRow intent = plant.history.intent(task);
      running.merge(intent == null ? "task " + task : intent.getServiceId() + "/" + intent.getTemplate(), 1, Integer::sum);
    }
    Map<String, Integer> wanted = new HashMap<>();
    services.values().stream().filter(service -> replicas(service) > 0).forEach(service -> wanted.put(service.getId() + "/" + service.getCurrent().getTemplate(), replicas(service)));
    if (!running.equals(wanted)) {
      open.add("containers " + running + " instead of " + wanted);
    }
    TaskRecord.forEach(state, task -> {
      if (task.desired() == TaskState.TASK_RUNNING && task.observed() != TaskState.TASK_RUNNING || task.desired() == TaskState.TASK_REMOVE) {
        open.add("task " + task.id() + " is wanted " + task.desired() + " and is " + task.observed());
      }
    });
    return open;
  }

  private static int replicas(ServiceRow service) {
    return (int) service.getCurrent().getMode().getReplicated().getReplicas();
  }

  private static void differs(ServiceRow service, String name, Wish wish, List<String> open) {
    if (service == null) {
      open.add(name + " was acknowledged and is not there");
    } else if (replicas(service) != wish.replicas()
        || !service.getCurrent().getLabelsMap().get("version").equals(Integer.toString(wish.version()))) {
      open.add(name + " was acknowledged as " + wish + " and is " + service.getCurrent());
    }
  }

  /** Milliseconds from an acknowledged create to the last of its containers that runs at all. */
  long slowestCreate(List<Write> writes) {
    Map<String, Long> starts = plant.ledger.starts();
    Map<String, Long> first = new HashMap<>(); // by service name
    starts.forEach((task, when) -> first.merge(plant.history.intent(task).getServiceName(), when, Math::min));
    return writes.stream().filter(write -> write.what().equals("create") && write.outcome() == Outcome.ACKNOWLEDGED && first.containsKey(write.service()))
        .mapToLong(write -> Trial.ms(first.get(write.service()) - write.ended())).max().orElse(0);
  }

  /** Nothing ran twice; the log tells the same story as the store. */
  void whole() throws Exception {
    List<Ledger.Event> events = plant.ledger.events();
    List<String> violations = Doubles.of(events, plant.history);
    expect(violations.isEmpty(), violations.toString());
    long starts = events.stream().filter(Ledger.Event::started).count();
    expect(starts > 20, "only " + starts + " containers were ever started");
    System.out.printf("CHECKED %d containers, %d revisions%n", starts, plant.history.last());
    replay();
  }

  /** The log comes along, has no hole, and is the same as the store. */
  private void replay() throws Exception {
    long want = plant.history.last();
    Pattern revisions = Pattern.compile("revisions (\\d+) to (\\d+)");
    Plant.await("revision " + want + " is in the log", () -> plant.relayed() >= want);
    long end = System.nanoTime() + Plant.PATIENCE.toNanos();
    while (true) {
      List<String> command = Jvm.command(ReplayMain.class);
      command.addAll(List.of("--store=" + plant.etcd.uri(), "--log=kafka://" + plant.kafka.address(), "--whole=true"));
      String said = Shell.run(command.toArray(String[]::new));
      Matcher found = revisions.matcher(said);
      if (found.find() && Long.parseLong(found.group(2)) >= want) {
        System.out.println(said.strip());
        return;
      }
      expect(System.nanoTime() - end < 0, "the log does not reach revision " + want + ": " + said);
    }
  }
}
