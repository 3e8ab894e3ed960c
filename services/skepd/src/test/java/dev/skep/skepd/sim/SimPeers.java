package dev.skep.skepd.sim;

import dev.skep.dispatcher.v1.DispatcherNews;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.DispatcherRow;
import dev.skep.testkit.sim.Net.Stream;
import dev.skep.testkit.sim.SimProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The other dispatchers, for one life of a dispatcher: it follows each that has a row, and tells those that follow it. */
final class SimPeers {
  private static final Duration SIGN_OF_LIFE = Duration.ofMillis(500);
  private static final Duration LEAST_BETWEEN = Duration.ofMillis(20);
  private static final Duration PAUSE = Duration.ofMillis(300);

  /** What the dispatcher says of itself. */
  interface Self {
    DispatcherNews news();

    /** Another one told something. */
    void heard();
  }

  private final SimCluster cluster;
  private final SimProcess process;
  private final String me;
  private final Self self;
  private final Map<String, DispatcherNews> news = new TreeMap<>();
  private final Set<String> followed = new HashSet<>();
  private final List<Stream<DispatcherNews>> followers = new ArrayList<>();
  private DispatcherNews told = DispatcherNews.getDefaultInstance();
  private boolean planned;

  SimPeers(SimCluster cluster, SimProcess process, String me, Self self) {
    this.cluster = cluster;
    this.process = process;
    this.me = me;
    this.self = self;
    if (cluster.seats().size() > 1) {
      sign();
    }
  }

  Map<String, DispatcherNews> news() {
    return news;
  }

  /** Rows of dispatchers came or went. */
  void look(ClusterState state) {
    Set<String> alive = new HashSet<>();
    for (Row<DispatcherRow> row : state.rows(Rows.PEER)) {
      String id = row.key().lastPart();
      alive.add(id);
      if (!id.equals(me) && followed.add(id)) {
        follow(id, row.value().getAddress());
      }
    }
    followed.retainAll(alive);
    news.keySet().retainAll(alive);
  }

  private void follow(String id, String address) {
    if (!followed.contains(id)) {
      return;
    }
    Seat seat = cluster.seats().stream().filter(one -> one.process().name().equals(address)).findFirst().orElseThrow();
    boolean[] open = new boolean[1];
    cluster.net().send(process, seat.process(), () -> seat.dispatcher().followed(process, one -> {
      open[0] = true;
      if (followed.contains(id) && one.getDispatcherId().equals(id)) {
        news.put(id, one);
        self.heard();
      }
    }, () -> {
      news.remove(id);
      process.after(PAUSE, () -> follow(id, address));
    }));
    process.after(SIGN_OF_LIFE.multipliedBy(4), () -> {
      if (!open[0]) {
        follow(id, address); // the call was lost, or its answer
      }
    });
  }

  // ---- who follows this one ----

  void followed(Stream<DispatcherNews> follower) {
    followers.add(follower);
    follower.send(told.toBuilder().setDispatcherId(me).build());
  }

  /** Something has moved. */
  void moved() {
    if (!planned && !followers.isEmpty()) {
      planned = true;
      process.after(LEAST_BETWEEN, this::tell);
    }
  }

  private void sign() {
    process.after(SIGN_OF_LIFE, this::sign);
    moved();
  }

  private void tell() {
    planned = false;
    told = self.news();
    followers.removeIf(follower -> !follower.send(told));
  }
}
