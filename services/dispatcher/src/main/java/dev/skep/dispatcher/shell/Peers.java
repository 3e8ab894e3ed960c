package dev.skep.dispatcher.shell;

import dev.skep.dispatcher.v1.DispatcherNews;
import dev.skep.dispatcher.v1.DispatchersGrpc;
import dev.skep.dispatcher.v1.FollowRequest;
import dev.skep.runtime.Host;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.DispatcherRow;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * The other dispatchers of the cluster: follows each of them that has a row, and tells those that follow this one. Belongs to
 * the dispatcher's thread. On an embedded store there are none.
 */
final class Peers {
  static final Duration SIGN_OF_LIFE = Duration.ofMillis(500);
  private static final Duration LEAST_BETWEEN = Duration.ofMillis(20); // it costs a look at all nodes
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

  private final Host host;
  private final String me;
  private final Desk desk;
  private final Runnable moved;
  private final Consumer<Gone> gone;
  private final Map<String, Peer> peers = new HashMap<>();
  private final Map<String, Peer> speaking = new HashMap<>(); // without a row; they have lost the store, and not their nodes
  private final Map<String, DispatcherNews> news = new HashMap<>();
  private final List<Outlet<DispatcherNews>> followers = new ArrayList<>();
  private DispatcherNews told = DispatcherNews.getDefaultInstance();
  private long toldAt;

  /** {@code heardAt}: by a clock that only goes forward. */
  private static final class Peer {
    private final DispatcherRow row;
    private long heardAt = System.nanoTime();
    private Duration pause = FIRST_PAUSE;
    private Context.CancellableContext call;
    private boolean over;

    private Peer(DispatcherRow row) {
      this.row = row;
    }
  }

  /** A dispatcher that is gone, and how long it had been silent by then. */
  record Gone(DispatcherRow row, Duration silence) {}

  /**
   * @param moved runs when another dispatcher tells something new
   * @param gone told of one that has no row any more, as soon as it does not speak any more either
   */
  Peers(Host host, String me, Desk desk, Runnable moved, Consumer<Gone> gone) {
    this.host = host;
    this.me = me;
    this.desk = desk;
    this.moved = moved;
    this.gone = gone;
  }

  Map<String, DispatcherNews> news() {
    return news;
  }

  /** Rows of dispatchers came or went. */
  void look(ClusterState state) {
    Set<String> alive = new TreeSet<>();
    for (Row<DispatcherRow> row : state.rows(Rows.PEER)) {
      String id = row.key().lastPart();
      if (!id.equals(me)) {
        alive.add(id);
        Peer known = peers.get(id);
        if (known == null || !known.row.getAddress().equals(row.value().getAddress())) {
          end(known);
          end(speaking.remove(id));
          Peer fresh = new Peer(row.value());
          peers.put(id, fresh);
          follow(fresh);
        }
      }
    }
    for (String id : List.copyOf(peers.keySet())) {
      if (!alive.contains(id)) {
        Peer peer = peers.remove(id);
        if (news.remove(id) != null) {
          speaking.put(id, peer);
        } else {
          goes(peer);
        }
      }
    }
  }

  private void goes(Peer peer) {
    end(peer);
    gone.accept(new Gone(peer.row, Duration.ofNanos(System.nanoTime() - peer.heardAt)));
  }

  /** One that falls silent without a word has a call that does not end. */
  void lookAtSilent() {
    long now = System.nanoTime();
    List.copyOf(speaking.values()).stream().filter(peer -> now - peer.heardAt > SIGN_OF_LIFE.multipliedBy(3).toNanos()).forEach(peer -> {
      speaking.remove(peer.row.getId());
      goes(peer);
    });
  }

  private static void end(Peer peer) {
    if (peer != null) {
      peer.over = true;
      if (peer.call != null) {
        peer.call.cancel(null);
      }
    }
  }

  private void follow(Peer peer) {
    if (peer.over || peer.row.getAddress().isEmpty()) {
      return;
    }
    Context.CancellableContext call = Context.ROOT.withCancellation();
    peer.call = call;
    host.blocking("dispatcher-follow", () -> call.run(() -> follow(peer, call)));
  }

  /** Not on the dispatcher's thread: to look up where the other one is may take a while. */
  private void follow(Peer peer, Context.CancellableContext call) {
    DispatchersGrpc.newStub(host.peer(peer.row.getAddress())).follow(FollowRequest.getDefaultInstance(), new StreamObserver<>() {
      @Override
      public void onNext(DispatcherNews one) {
        desk.run(() -> heard(peer, call, one));
      }

      @Override
      public void onError(Throwable failure) {
        desk.run(() -> lost(peer, call));
      }

      @Override
      public void onCompleted() {
        desk.run(() -> lost(peer, call));
      }
    });
  }

  private void heard(Peer peer, Context.CancellableContext call, DispatcherNews one) {
    if (peer.over || peer.call != call) {
      return;
    }
    if (!one.getDispatcherId().equals(peer.row.getId())) {
      lost(peer, call); // where it was, another process answers; its name may lead elsewhere by now
      return;
    }
    peer.heardAt = System.nanoTime();
    peer.pause = FIRST_PAUSE;
    if (peers.get(peer.row.getId()) == peer) {
      news.put(peer.row.getId(), one);
      moved.run();
    }
  }

  private void lost(Peer peer, Context.CancellableContext call) {
    if (peer.over || peer.call != call) {
      return;
    }
    if (speaking.remove(peer.row.getId(), peer)) {
      goes(peer);
      return;
    }
    call.cancel(null);
    news.remove(peer.row.getId());
    host.after(peer.pause, () -> desk.run(() -> follow(peer)));
    Duration doubled = peer.pause.multipliedBy(2);
    peer.pause = doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled;
  }

  // ---- who follows this one ----

  void followed(Outlet<DispatcherNews> follower) {
    followers.add(follower);
    follower.send(told.toBuilder().setDispatcherId(me).build());
  }

  boolean hasFollowers() {
    return !followers.isEmpty();
  }

  /** Whether it is time to tell them: soon when something has moved, else as a sign of life. */
  boolean due(boolean news) {
    long since = System.nanoTime() - toldAt;
    return !followers.isEmpty() && since >= (news ? LEAST_BETWEEN : SIGN_OF_LIFE).toNanos();
  }

  /** Who is slow hears the newest when there is room. */
  void tell(String epoch, long revision, long applied) {
    told = DispatcherNews.newBuilder().setDispatcherId(me).setEpoch(epoch).setRevision(revision).setApplied(applied).build();
    toldAt = System.nanoTime();
    followers.removeIf(Outlet::over);
    followers.stream().filter(Outlet::ready).forEach(follower -> follower.send(told));
  }

  void close(Status why) {
    peers.values().forEach(Peers::end);
    speaking.values().forEach(Peers::end);
    followers.forEach(follower -> follower.fail(why));
    followers.clear();
  }
}
