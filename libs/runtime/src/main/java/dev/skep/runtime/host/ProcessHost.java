package dev.skep.runtime.host;

import dev.skep.backend.Backends;
import dev.skep.backend.ChangeLog;
import dev.skep.backend.Store;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.Membership;
import dev.skep.runtime.NetworkDoor;
import dev.skep.runtime.SessionState;
import dev.skep.runtime.View;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.identity.Trust;
import dev.skep.runtime.loop.Candidacy;
import dev.skep.runtime.loop.LoopCore;
import dev.skep.runtime.loop.LoopMetrics;
import dev.skep.runtime.loop.ThreadedLoop;
import dev.skep.runtime.users.Administration;
import dev.skep.runtime.view.StoreView;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.LogValue;
import dev.skep.state.Restored;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import io.grpc.Channel;
import io.prometheus.client.Gauge;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** A process that keeps or reads the cluster's state. */
public final class ProcessHost extends BasicHost {
  private static final String HERE = "in-process";

  private final HostThreads storeThreads = new HostThreads(this::fatal); // they outlive all others
  private final StoreAccess access;
  private final Consumer<StoreAccess> storeTrial;
  private final Optional<Administration> administration;
  private final Store store;
  private final LazyLog log;
  private final StoreView view;
  private final FileMembership membership;
  private final Network network;
  private final LoopMetrics loopMetrics;
  private final String holder;
  private final boolean embedded;
  private final Optional<Elections> elections; // none where nobody else can open the store
  private final List<ControlLoop> loops = new CopyOnWriteArrayList<>();

  private ProcessHost(HostBuilder options, String storeUri) {
    super(options);
    begin();
    boolean alone = options.shared.isEmpty() && Backends.alone(storeUri);
    this.embedded = Backends.alone(storeUri);
    StoreOpening opening = new StoreOpening(this, options, storeUri, alone, storeThreads::platform);
    this.store = opening.store();
    this.log = opening.log(this::epoch, ProcessHost::published);
    this.view = opening.view(log);
    this.storeTrial = options.storeTrial.orElseGet(() -> new StoreTrial(storeThreads::platform));
    this.access = options.access.orElseGet(() -> StoreAccess.of(storeUri, options.log.orElse("")));
    this.administration = options.administration;
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
    view.besides().ifPresent(body -> blocking("view-log", body));
    this.elections = alone ? Optional.empty() : Optional.of(new Elections(this, network, holder, options.lease));
  }

  static ProcessHost open(HostBuilder options, String storeUri) {
    return new ProcessHost(options, storeUri);
  }

  /** Does this data folder hold a store already? */
  public static boolean exists(Path storeFolder) {
    return Files.exists(storeFolder.resolve("store.db"));
  }

  /** What this process is called in the leader rows that it writes. */
  public String holder() {
    return holder;
  }

  /** SQLite's library lies in a temporary file that the driver has the JVM delete. */
  @Override
  boolean leavesFiles() {
    return embedded;
  }

  private String epoch() {
    ClusterRow cluster = view.state().value(Rows.cluster());
    return cluster == null ? "" : cluster.getEpoch();
  }

  private static Store.Change published(Store.Change change) {
    return new Store.Change(change.key(), LogValue.of(change.key(), change.value()), change.createRevision(), change.modRevision());
  }

  @Override
  public StoreAccess storeAccess() {
    return access;
  }

  @Override
  public void tryStore(StoreAccess other) {
    storeTrial.accept(other);
  }

  @Override
  public Optional<Administration> administration() {
    return administration;
  }

  @Override
  public Store store() {
    return store;
  }

  @Override
  public ChangeLog changeLog() {
    return log.get();
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
  public Channel channel(String component, String purpose) {
    return network.channel(component, purpose);
  }

  @Override
  public String address() {
    return network.address();
  }

  @Override
  public Channel peer(String address) {
    return network.peer(address);
  }

  @Override
  public boolean managerSilent() {
    return network.managerSilent();
  }

  @Override
  public List<String> managers() {
    return network.managers();
  }

  @Override
  public void managerChosen(String address) {
    network.managerChosen(address);
  }

  @Override
  void started() {
    network.follow();
    elections.ifPresent(Elections::started);
  }

  @Override
  void closeNetwork() {
    network.close();
  }

  /** A store without a cluster, as on a worker, stays as empty as it is; one that was restored waits for its confirmation. */
  @Override
  public ControlLoop loop(String name, Decider decider) {
    return loop(name, decider, Restored::acts, () -> {});
  }

  @Override
  public ControlLoop lead(String name, Runnable changed) {
    if (elections.isEmpty()) {
      changed.run();
      return new SoleHolder(name);
    }
    return loop(name, (state, since, tick) -> Decision.NOTHING, state -> state.has(Rows.cluster()), changed);
  }

  /** The embedded store has one owner, so whoever held a loop before is gone: the row is taken at once. */
  private ControlLoop loop(String name, Decider decider, Predicate<ClusterState> concerned, Runnable changed) {
    Candidacy candidacy = elections.map(Elections::candidacy).orElse(Candidacy.alone(HERE));
    LoopCore core = new LoopCore(name, new LoopCore.Candidate(holder, HERE, elections.isEmpty()), decider, ids());
    ThreadedLoop loop = new ThreadedLoop(name, core, store, view, clock(), state -> manages() && concerned.test(state), candidacy, changed, loopMetrics);
    loops.add(loop);
    elections.ifPresent(all -> all.loop(name, loop::look));
    thread("loop-" + name, loop);
    return loop;
  }

  /** On a shared store only managers of the cluster decide. */
  private boolean manages() {
    return elections.isEmpty() || membership.current().filter(Membership.Identity::manager).isPresent();
  }

  @Override
  void closeState() {
    loops.forEach(ControlLoop::close);
    elections.ifPresent(Elections::close);
    view.close();
    log.close();
  }

  @Override
  void closeStore() {
    storeThreads.stopping();
    log.close();
    store.close();
    storeThreads.close();
  }
}
