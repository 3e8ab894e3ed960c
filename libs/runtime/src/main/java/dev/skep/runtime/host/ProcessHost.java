package dev.skep.runtime.host;

import dev.skep.backend.Backends;
import dev.skep.backend.ChangeLog;
import dev.skep.backend.Store;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.Membership;
import dev.skep.runtime.NetworkDoor;
import dev.skep.runtime.SessionState;
import dev.skep.runtime.View;
import dev.skep.runtime.identity.Trust;
import dev.skep.runtime.loop.LoopCore;
import dev.skep.runtime.loop.LoopMetrics;
import dev.skep.runtime.loop.ThreadedLoop;
import dev.skep.runtime.view.StoreView;
import dev.skep.state.Decider;
import dev.skep.state.Owner;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import io.grpc.Channel;
import io.prometheus.client.Gauge;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** A process that keeps or reads the cluster's state. */
public final class ProcessHost extends BasicHost {
  private final HostThreads storeThreads = new HostThreads(this::fatal); // they outlive all others
  private final Store store;
  private final ChangeLog log;
  private final StoreView view;
  private final FileMembership membership;
  private final Network network;
  private final LoopMetrics loopMetrics;
  private final String holder;
  private final List<ControlLoop> loops = new CopyOnWriteArrayList<>();

  private ProcessHost(HostBuilder options, String storeUri) {
    super(options);
    this.store = Backends.store(storeUri, storeThreads::platform);
    this.view = viewOf(store);
    this.log = Backends.log(storeUri, store, this::epoch, ProcessHost::published);
    this.membership = new FileMembership(membershipFolder());
    this.network = new Network(this, options, membership, Optional.of(view));
    this.loopMetrics = new LoopMetrics(metrics());
    this.holder = options.ids.next();
    Gauge.build("skep_view_revision", "The revision at which this process sees the cluster.").create()
        .setChild(new Gauge.Child() {
          @Override
          public double get() {
            return view.state().revision();
          }
        })
        .register(metrics().registry());
    thread("view", view);
  }

  static ProcessHost open(HostBuilder options, String storeUri) {
    return new ProcessHost(options, storeUri);
  }

  private static StoreView viewOf(Store store) {
    try {
      return new StoreView(store);
    } catch (RuntimeException e) {
      store.close();
      throw e;
    }
  }

  /** Does this data folder hold a store already? */
  public static boolean exists(Path storeFolder) {
    return Files.exists(storeFolder.resolve("store.db"));
  }

  private String epoch() {
    ClusterRow cluster = view.state().value(Rows.cluster());
    return cluster == null ? "" : cluster.getEpoch();
  }

  /** What the event log shows of a change: of sealed rows a digest. */
  private static Store.Change published(Store.Change change) {
    if (change.value() == null || !change.key().startsWith(Owner.SEALED.prefix())) {
      return change;
    }
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(change.value());
      return new Store.Change(change.key(), digest, change.createRevision(), change.modRevision());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  @Override
  public Store store() {
    return store;
  }

  @Override
  public ChangeLog changeLog() {
    return log;
  }

  @Override
  public View view() {
    return view;
  }

  @Override
  public Membership membership() {
    return membership;
  }

  @Override
  public Trust trust() {
    return network.trust();
  }

  @Override
  public SessionState session() {
    return network.session();
  }

  @Override
  public NetworkDoor door() {
    return network.door();
  }

  @Override
  public Channel channel(String component) {
    return channel(component, Network.EVERYTHING);
  }

  @Override
  public Channel channel(String component, String purpose) {
    return network.channel(component, purpose);
  }

  @Override
  void started() {
    network.follow();
  }

  @Override
  void closeNetwork() {
    network.close();
  }

  /**
   * The embedded store has one owner, so whoever held a loop before is gone: the row is taken at once. A store without
   * a cluster, as on a worker, stays as empty as it is.
   */
  @Override
  public ControlLoop loop(String name, Decider decider) {
    LoopCore core = new LoopCore(name, new LoopCore.Candidate(holder, "in-process", true), decider, ids());
    ThreadedLoop loop = new ThreadedLoop(name, core, store, view, clock(), state -> state.has(Rows.cluster()), loopMetrics);
    loops.add(loop);
    thread("loop-" + name, loop);
    return loop;
  }

  @Override
  void closeState() {
    loops.forEach(ControlLoop::close);
    view.close();
  }

  @Override
  void closeStore() {
    storeThreads.stopping();
    store.close();
    storeThreads.close();
  }
}
