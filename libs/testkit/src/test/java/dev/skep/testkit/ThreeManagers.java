package dev.skep.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Store;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.host.ProcessHost;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Three processes of managers on one store, each with a decider whose every second decision would be seen, over real TLS. */
final class ThreeManagers implements AutoCloseable {
  static final Duration PATIENCE = Deciding.PATIENCE;

  /** Gives a host its store. */
  interface Opening {
    ProcessHost start(HostBuilder builder) throws Exception;
  }

  /** One of the processes. */
  final class Manager {
    final ProcessHost host;
    final ControlLoop loop;

    private Manager(String node, Opening opening) throws Exception {
      Deciding deciding = new Deciding();
      host = opening.start(HostBuilder.named(node).data(identities.manager(node)).component(deciding)
          .onFatal((what, cause) -> failures.add(new AssertionError(node + ": " + what, cause))));
      loop = deciding.loop;
    }
  }

  final List<Manager> managers = new ArrayList<>();
  private final ManagerIdentities identities;
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();

  /** @param store the test's own way to it */
  ThreeManagers(Path folder, Store store, List<? extends Opening> openings) throws Exception {
    this.identities = new ManagerIdentities(folder, store);
    for (Opening opening : openings) {
      managers.add(new Manager("n" + (managers.size() + 1), opening));
    }
  }

  @Override
  public void close() {
    managers.forEach(manager -> manager.host.close());
    assertThat(failures).isEmpty();
  }

  /** One more service that wants tasks. Returns the revision that has it. */
  long service() {
    return identities.service();
  }

  /** Whoever holds the loop, with its door open. */
  Manager holder(String loop) throws Exception {
    String holder = Deciding.holder(managers.getLast().host.view(), loop);
    return managers.stream().filter(manager -> manager.host.holder().equals(holder)).findFirst().orElseThrow();
  }

  Manager other(Manager than) {
    return managers.stream().filter(manager -> manager != than).findFirst().orElseThrow();
  }

  /** As this manager sees it, every service gets its tasks, and no more. */
  void decidedOnce(Manager by) throws Exception {
    Deciding.decidedOnce(by.host.view(), identities.services());
  }
}
