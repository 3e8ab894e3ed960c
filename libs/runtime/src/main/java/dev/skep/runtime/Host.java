package dev.skep.runtime;

import dev.skep.backend.ChangeLog;
import dev.skep.backend.Store;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.identity.Trust;
import dev.skep.runtime.users.Administration;
import dev.skep.state.Decider;
import dev.skep.state.IdSource;
import io.grpc.BindableService;
import io.grpc.Channel;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a component may ask of the process it runs in. One process may host one component or many; a component cannot
 * tell. Nothing here is static, so that several hosts fit into one process of a test.
 */
public interface Host {
  Clock clock();

  /** Fresh ids, from a secure random source. */
  IdSource ids();

  /** This process's folder for durable files of components: {@code <data>/<component>}. Created when asked for. */
  Path dataFolder(String component);

  /** Folder for sockets and pid files. */
  Path runFolder();

  Store store();

  ChangeLog changeLog();

  /** The shared view of the cluster's state in this process. */
  View view();

  /** Which node this is, if it is in a cluster; and the switch to become one or leave. */
  Membership membership();

  Metrics metrics();

  /** What this host proves itself with, and whom it believes. */
  Trust trust();

  /** Whether this node's session with its cluster is open: told by the agent, asked by the API. */
  SessionState session();

  /** Where other hosts reach this one, while it is a manager's. */
  NetworkDoor door();

  /** Which store and log this process uses, and what gets it in. */
  StoreAccess storeAccess();

  /**
   * Goes once to a store and a log that this host might use from its next start on. Blocking; throws StoreException with what
   * is wrong.
   */
  default void tryStore(StoreAccess other) {
    throw new IllegalStateException("this process uses no store");
  }

  /** Whom this process was told for making users of store and log; empty where nobody may. */
  default Optional<Administration> administration() {
    return Optional.empty();
  }

  /**
   * Ends this process in order, and has whoever watches it start it again: for a host that has to go on with another store
   * than it began with. Containers, the edge and traffic do not notice.
   */
  void restart(String why);

  /** host:port where the processes of other managers reach this one; empty while it serves nobody. */
  String address();

  /** A channel to everything that the manager at this address (host:port of its door) serves, over mutual TLS. */
  Channel peer(String address);

  /**
   * The manager that a worker calls is silent: calls from now on go to the next one. A manager's own agent that went to
   * another one comes home. False when no other is known.
   */
  boolean managerSilent();

  /** All managers that are known, host:port each: where this host's agent may have its session. */
  List<String> managers();

  /** This host's agent goes to that one of {@link #managers}, a manager's own agent also away from its own process. */
  void managerChosen(String address);

  /**
   * A channel to a service by its component name: to the component in this process, or on a worker over mutual TLS to one
   * of the managers. It follows the membership; calls that have begun stay where they are.
   */
  Channel channel(String component);

  /** The same with connections of its own: what it carries never queues behind something large. */
  Channel channel(String component, String purpose);

  /** Offers a gRPC service of this component to the others. */
  void serve(String component, BindableService service);

  /** Runs a decider in a control loop of its own thread: coalesce, decide, commit, sleep until woken. */
  ControlLoop loop(String name, Decider decider);

  /**
   * Campaigns for the row {@code leader/loop/<name>} without deciding anything: for work that only one process of the
   * cluster may do. On a store that only this process can open it leads as soon as there is a cluster.
   *
   * @param changed runs when it begins to lead, and when it leads no more; must not block
   */
  ControlLoop lead(String name, Runnable changed);

  /** Starts a named platform thread. A thread that ends with an exception ends the process. */
  Thread thread(String name, Runnable body);

  /** Starts a virtual thread for blocking calls. An exception ends the process, as above. */
  Thread blocking(String name, Runnable body);

  /** Runs once after the delay on a timer thread; the body must not block. Closing cancels. */
  AutoCloseable after(Duration delay, Runnable body);

  /** Our own failure: logs it, and ends the process so that it is restarted. */
  void fatal(String what, Throwable cause);
}
