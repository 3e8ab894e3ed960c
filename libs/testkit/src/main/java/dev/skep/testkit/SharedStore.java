package dev.skep.testkit;

import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.backend.embedded.SqliteStore;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One store for several hosts of a test. Each has a client of its own, with leases of its own, that can stand still as its
 * process does, or lose the store.
 */
public final class SharedStore implements AutoCloseable {
  private final SqliteStore store;

  private SharedStore(SqliteStore store) {
    this.store = store;
  }

  public static SharedStore in(Path folder) {
    return new SharedStore(SqliteStore.open(folder, (name, body) -> Thread.ofPlatform().daemon().name(name).start(body)));
  }

  /** The store itself, which never fails. */
  public Store store() {
    return store;
  }

  public Client client() {
    return new Client();
  }

  @Override
  public void close() {
    store.close();
  }

  /** The store as one host sees it. */
  public final class Client implements Store {
    private final List<Store.Lease> leases = new CopyOnWriteArrayList<>();
    private volatile CountDownLatch gate = new CountDownLatch(0);
    private volatile CountDownLatch atNextCommit = new CountDownLatch(0);
    private volatile boolean standAtCommit;
    private final List<Store.Watcher> watchers = new CopyOnWriteArrayList<>();
    private volatile boolean away;
    private volatile CountDownLatch watched = new CountDownLatch(0);
    private final AtomicInteger leasesRefused = new AtomicInteger();
    private volatile boolean refuseWatch;

    /** From now on nothing that this client is asked returns, and it hears nothing. Its leases live. */
    public void stand() {
      gate = new CountDownLatch(1);
    }

    /** The same from the moment on in which the next commit is on its way. The latch tells when that is so. */
    public CountDownLatch standAtNextCommit() {
      atNextCommit = new CountDownLatch(1);
      standAtCommit = true;
      return atNextCommit;
    }

    /** It goes on as if nothing had happened. */
    public void goOn() {
      gate.countDown();
    }

    /** As if it had not kept them alive. */
    public void endLeases() {
      leases.forEach(Store.Lease::close);
    }

    /** Every watch is told that its past is gone, and the next one is not taken at first. */
    public void breakWatches() {
      refuseWatch = true;
      watchers.forEach(watcher -> watcher.compacted(store.revision()));
    }

    /** Whether the store can be reached. */
    public void away(boolean now) {
      away = now;
    }

    /** The same, and nothing is heard of it either until it is there again; what was kept alive ends. */
    public void cut() {
      watched = new CountDownLatch(1);
      away = true;
      endLeases();
    }

    /** It is there again. What happened meanwhile is heard now. */
    public void heal() {
      away = false;
      watched.countDown();
    }

    /** How often somebody wanted a lease while the store was away. */
    public int leasesRefused() {
      return leasesRefused.get();
    }

    private Store reached() {
      pass();
      if (away) {
        throw new StoreException("the store is away");
      }
      return store;
    }

    private void hear() {
      pass();
      await(watched);
    }

    private void pass() {
      await(gate);
    }

    private static void await(CountDownLatch latch) {
      try {
        latch.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StoreException("interrupted", e);
      }
    }

    @Override
    public long revision() {
      return reached().revision();
    }

    @Override
    public Optional<Store.Entry> get(String key) {
      return reached().get(key);
    }

    @Override
    public Store.Snapshot read(String prefix) {
      return reached().read(prefix);
    }

    @Override
    public Store.Snapshot readAt(String prefix, long revision) {
      return reached().readAt(prefix, revision);
    }

    @Override
    public Store.Outcome commit(Store.Transaction transaction) {
      if (standAtCommit) {
        standAtCommit = false;
        stand();
        atNextCommit.countDown();
      }
      return reached().commit(transaction);
    }

    @Override
    public Store.Watch watch(String prefix, long fromRevision, Store.Watcher watcher) {
      if (refuseWatch) {
        refuseWatch = false;
        throw new StoreException("no watch now");
      }
      watchers.add(watcher);
      return reached().watch(prefix, fromRevision, new Store.Watcher() {
        @Override
        public void changed(long revision, List<Store.Change> changes) {
          hear();
          watcher.changed(revision, changes);
        }

        @Override
        public void compacted(long oldestRevision) {
          hear();
          watcher.compacted(oldestRevision);
        }
      });
    }

    @Override
    public Store.Lease lease(Duration timeToLive) {
      if (away) {
        leasesRefused.incrementAndGet();
      }
      Store.Lease lease = reached().lease(timeToLive);
      leases.add(lease);
      return new Store.Lease() {
        @Override
        public long id() {
          return lease.id();
        }

        @Override
        public boolean alive() {
          pass();
          return lease.alive();
        }

        @Override
        public void close() {
          reached();
          lease.close();
        }
      };
    }

    @Override
    public void compact(long revision) {
      reached().compact(revision);
    }

    @Override
    public void close() {
      goOn();
      heal();
    }
  }
}
