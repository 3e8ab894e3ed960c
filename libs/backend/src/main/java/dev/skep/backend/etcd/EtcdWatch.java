package dev.skep.backend.etcd;

import dev.skep.backend.Store;
import dev.skep.backend.Store.Change;
import dev.skep.backend.StoreException;
import io.etcd.jetcd.api.Event;
import io.etcd.jetcd.api.KeyValue;
import io.etcd.jetcd.api.WatchResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A watch that outlives servers and connections: a thread that follows one stream after the other, each from the revision
 * after the last that the watcher was told.
 */
final class EtcdWatch implements Store.Watch, Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(EtcdWatch.class);
  private static final Duration LEAST_PAUSE = Duration.ofMillis(5);
  private static final Duration MOST_PAUSE = Duration.ofMillis(500);
  private static final int SILENCES = 3;

  /** What all watches of a store share. */
  record Source(Members members, Calls calls, Tokens tokens, Keys keys, Duration silence) {}

  private final Source source;
  private final String prefix;
  private final Store.Watcher watcher;
  private final Consumer<EtcdWatch> over;
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile WatchStream stream; // the one that the thread follows
  private long next; // the revision from which the watcher knows nothing
  private boolean heard; // the stream said something
  private final List<Change> parts = new ArrayList<>(); // of one revision, until it is whole
  private long revision; // of the parts

  /** @param over is told when the watch is */
  EtcdWatch(Source source, String prefix, long from, Store.Watcher watcher, Consumer<EtcdWatch> over) {
    this.source = source;
    this.prefix = prefix;
    this.watcher = watcher;
    this.over = over;
    this.next = Math.max(1, from);
  }

  /** What the watcher throws comes out here. */
  @Override
  public void run() {
    String lastFailure = "";
    Duration pause = LEAST_PAUSE;
    try {
      while (open()) {
        Member member = source.members.current();
        heard = false;
        try {
          follow(member);
        } catch (StoreException e) {
          source.members.leave(member);
          pause = heard ? LEAST_PAUSE : pause.multipliedBy(2);
          pause = pause.compareTo(MOST_PAUSE) > 0 ? MOST_PAUSE : pause;
          if (open() && (heard || !lastFailure.equals(e.getMessage()))) {
            LOG.info("the watch of '{}' lost {} and goes on from revision {}: {}", prefix, member.endpoint(), next, e.getMessage());
          }
          lastFailure = e.getMessage();
          closed.await(pause.toNanos(), TimeUnit.NANOSECONDS);
          source.members.current().hurry();
        }
      }
    } catch (InterruptedException e) {
      closed.countDown(); // only whoever ends the process interrupts a watch
    } finally {
      close();
      over.accept(this);
    }
  }

  private boolean open() {
    return closed.getCount() > 0;
  }

  /** Returns when the watch is over. */
  private void follow(Member member) throws InterruptedException {
    source.calls.logIn();
    String token = source.tokens.current();
    parts.clear();
    int silences = 0;
    // From one revision earlier: etcd keeps no trace of a key that was deleted at the very revision to which it is compacted,
    // but says so when asked for an earlier one.
    try (WatchStream current = WatchStream.open(member, source.keys.first(prefix), source.keys.end(prefix), Math.max(1, next - 1))) {
      stream = current;
      while (open()) {
        switch (current.next(source.silence)) {
          case WatchStream.Signal.Said said -> {
            heard = true;
            if (said.response().getCanceled() && said.response().getCompactRevision() == 0) {
              source.tokens.refused(token); // a token that ended shows as a lack of permission
              throw new StoreException("etcd ended it: " + said.response().getCancelReason());
            }
            told(said.response());
            current.more();
          }
          case WatchStream.Signal.Ended ended -> {
            if (Fate.of(ended.status()) == Fate.STRANGER) {
              source.tokens.refused(token);
            }
            throw new StoreException(Fate.sentence(ended.status()));
          }
          case WatchStream.Signal.Silence _ -> {
            if (!member.answers() || !heard && ++silences == SILENCES) { // it lives, but does not begin the watch
              member.reconnect();
              throw new StoreException(member.endpoint() + " is silent");
            }
          }
          case WatchStream.Signal.Woken _ -> {
            // closed, or not: the loop looks
          }
        }
      }
    } finally {
      stream = null;
    }
  }

  private void told(WatchResponse response) {
    if (response.getCanceled()) {
      closed.countDown();
      watcher.compacted(response.getCompactRevision());
      return;
    }
    for (Event event : response.getEventsList()) {
      long at = event.getKv().getModRevision();
      if (at >= next) {
        if (at != revision) {
          flush();
          revision = at;
        }
        parts.add(change(event));
      }
    }
    if (!WatchStream.hasMoreFragments(response)) {
      flush();
      if (response.getEventsCount() == 0 && !response.getCreated()) {
        next = Math.max(next, response.getHeader().getRevision() + 1); // nothing changed here up to this revision
      }
    }
  }

  private void flush() {
    if (!parts.isEmpty() && open()) {
      List<Change> changes = List.copyOf(parts);
      parts.clear();
      next = revision + 1;
      watcher.changed(revision, changes);
    }
  }

  private Change change(Event event) {
    KeyValue kv = event.getKv();
    byte[] value = event.getType() == Event.EventType.DELETE ? null : kv.getValue().toByteArray();
    return new Change(source.keys.name(kv.getKey()), value, kv.getCreateRevision(), kv.getModRevision());
  }

  /** At most the call that is already under way still reaches the watcher. */
  @Override
  public void close() {
    closed.countDown();
    WatchStream current = stream;
    if (current != null) {
      current.wake();
    }
  }
}
