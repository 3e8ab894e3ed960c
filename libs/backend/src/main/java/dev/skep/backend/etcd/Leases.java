package dev.skep.backend.etcd;

import dev.skep.backend.Store.Lease;
import dev.skep.backend.StoreException;
import dev.skep.backend.Threads;
import io.etcd.jetcd.api.LeaseGrantRequest;
import io.etcd.jetcd.api.LeaseGrantResponse;
import io.etcd.jetcd.api.LeaseGrpc;
import io.etcd.jetcd.api.LeaseKeepAliveRequest;
import io.etcd.jetcd.api.LeaseKeepAliveResponse;
import io.etcd.jetcd.api.LeaseRevokeRequest;
import io.grpc.CallOptions;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps leases alive from one thread. A lease counts from the moment before a request for it was sent, so that it has
 * ended here before, or when, it ends in etcd.
 */
final class Leases implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Leases.class);
  private static final Duration PAUSE = Duration.ofMillis(50);

  private final Calls calls;
  private final Members members;
  private final Tokens tokens;
  private final Threads threads;
  private final long silenceNanos;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final List<Held> held = new ArrayList<>(); // guarded by lock
  private final Set<String> said = new HashSet<>(); // since a lease was kept alive; of the thread that does it
  private boolean running; // guarded by lock
  private boolean closed; // guarded by lock

  Leases(Calls calls, Members members, Tokens tokens, Threads threads, Duration silence) {
    this.calls = calls;
    this.members = members;
    this.tokens = tokens;
    this.threads = threads;
    this.silenceNanos = silence.toNanos();
  }

  Lease grant(Duration timeToLive) {
    long seconds = Math.max(1, (timeToLive.toMillis() + 999) / 1000); // etcd counts in seconds
    long asked = System.nanoTime();
    LeaseGrantResponse response = calls.ask(LeaseGrpc.getLeaseGrantMethod(), LeaseGrantRequest.newBuilder().setTTL(seconds).build());
    if (!response.getError().isEmpty()) {
      throw new StoreException("etcd grants no lease: " + response.getError());
    }
    Held lease = new Held(response.getID(), Duration.ofSeconds(response.getTTL()).toNanos(), asked);
    lock.lock();
    try {
      held.add(lease);
      if (!running && !closed) {
        running = true;
        threads.start("store-leases", this::keepAlive);
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    return lease;
  }

  private final class Held implements Lease {
    private final long id;
    private final long timeToLive;
    private volatile long ends; // on our clock
    private volatile boolean ended;
    private long due; // when it is to be renewed; guarded by lock

    private Held(long id, long timeToLive, long asked) {
      this.id = id;
      this.timeToLive = timeToLive;
      renewed(asked);
    }

    private void renewed(long asked) {
      ends = asked + timeToLive;
      due = asked + timeToLive / 3;
    }

    @Override
    public long id() {
      return id;
    }

    @Override
    public boolean alive() {
      return !ended && System.nanoTime() - ends < 0;
    }

    /** When etcd cannot be asked, its keys go when its time is over. */
    @Override
    public void close() {
      if (drop(this)) {
        try {
          calls.ask(LeaseGrpc.getLeaseRevokeMethod(), LeaseRevokeRequest.newBuilder().setID(id).build());
        } catch (Calls.Refused e) {
          if (e.status().getCode() != Status.Code.NOT_FOUND) {
            throw e;
          }
        }
      }
    }
  }

  /** False when it was dropped already. */
  private boolean drop(Held lease) {
    lock.lock();
    try {
      lease.ended = true;
      return held.remove(lease);
    } finally {
      lock.unlock();
    }
  }

  private void keepAlive() {
    try {
      for (Optional<Held> next = next(); next.isPresent(); next = next()) {
        Held lease = next.get();
        long asked = System.nanoTime();
        if (!lease.alive()) {
          LOG.warn("the lease {} ended: etcd could not be reached in time to keep it alive", Long.toHexString(lease.id));
          drop(lease);
          continue;
        }
        Optional<Long> left = renew(lease);
        lock.lock();
        try {
          if (left.isEmpty()) {
            lease.due = System.nanoTime() + PAUSE.toNanos();
          } else if (left.get() > 0 && lease.alive()) { // who saw that it had ended does not see it come back
            lease.renewed(asked);
            said.clear();
          } else if (held.remove(lease)) {
            lease.ended = true;
            LOG.warn("the lease {} ended", Long.toHexString(lease.id));
          }
        } finally {
          lock.unlock();
        }
      }
    } catch (InterruptedException e) {
      LOG.debug("leases are no longer kept alive: the process ends");
    }
  }

  /** Waits until a lease must be renewed; empty when the store is closed. */
  private Optional<Held> next() throws InterruptedException {
    lock.lock();
    try {
      while (!closed) {
        Optional<Held> first = held.stream().min(Comparator.comparingLong(lease -> lease.due - System.nanoTime()));
        if (first.isEmpty()) {
          changed.await();
          continue;
        }
        long wait = first.get().due - System.nanoTime();
        if (wait <= 0) {
          return first;
        }
        changed.awaitNanos(wait);
      }
      return Optional.empty();
    } finally {
      lock.unlock();
    }
  }

  /** The seconds that etcd gives it; empty when there was no answer. */
  private Optional<Long> renew(Held lease) throws InterruptedException {
    try {
      calls.logIn();
    } catch (StoreException e) {
      sayOnce("no lease can be kept alive: " + e.getMessage());
      return Optional.empty();
    }
    Member member = members.current();
    String token = tokens.current();
    // Of the two thirds of its time that are left no single server may use up much, whatever is wrong with it.
    long patience = Math.min(silenceNanos, lease.timeToLive / 6);
    CompletableFuture<Long> answer = new CompletableFuture<>();
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(patience, TimeUnit.NANOSECONDS);
    StreamObserver<LeaseKeepAliveRequest> request =
        ClientCalls.asyncBidiStreamingCall(member.channel().newCall(LeaseGrpc.getLeaseKeepAliveMethod(), options), answers(answer));
    try {
      request.onNext(LeaseKeepAliveRequest.newBuilder().setID(lease.id).build());
      request.onCompleted();
      return Optional.of(answer.get(2 * patience, TimeUnit.NANOSECONDS)); // the call ends earlier, by its deadline
    } catch (TimeoutException | ExecutionException | IllegalStateException e) {
      Status status = e instanceof TimeoutException ? Status.DEADLINE_EXCEEDED : Status.fromThrowable(e instanceof ExecutionException ? e.getCause() : e);
      if (tokens.fate(status, token) == Fate.STRANGER) {
        tokens.refused(token);
        LOG.info("etcd wants a new token before it keeps a lease alive");
      } else {
        sayOnce("a lease was not kept alive by " + member.endpoint() + " and is tried again: " + Fate.sentence(status));
        if (status.getCode() == Status.Code.DEADLINE_EXCEEDED) {
          member.reconnect();
        }
        members.leave(member);
        members.current().hurry();
      }
      return Optional.empty();
    }
  }

  /** It is tried every 50 ms, and the reason is mostly the same. */
  private void sayOnce(String what) {
    if (said.add(what)) {
      LOG.info(what);
    }
  }

  private static StreamObserver<LeaseKeepAliveResponse> answers(CompletableFuture<Long> answer) {
    return new StreamObserver<>() {
      @Override
      public void onNext(LeaseKeepAliveResponse response) {
        answer.complete(response.getTTL());
      }

      @Override
      public void onError(Throwable cause) {
        answer.completeExceptionally(cause);
      }

      @Override
      public void onCompleted() {
        answer.completeExceptionally(Status.UNAVAILABLE.withDescription("the stream ended without an answer").asException());
      }
    };
  }

  /** Revokes what lives, all at once and without patience: what etcd does not hear of ends with its time. */
  @Override
  public void close() {
    List<Held> last;
    lock.lock();
    try {
      closed = true;
      last = List.copyOf(held);
      held.clear();
      last.forEach(lease -> lease.ended = true);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(silenceNanos, TimeUnit.NANOSECONDS);
    List<? extends Future<?>> revoked = last.stream()
        .map(lease -> ClientCalls.futureUnaryCall(members.current().channel().newCall(LeaseGrpc.getLeaseRevokeMethod(), options),
            LeaseRevokeRequest.newBuilder().setID(lease.id).build()))
        .toList();
    for (Future<?> one : revoked) {
      try {
        one.get();
      } catch (ExecutionException e) {
        LOG.info("a lease was not revoked and ends with its time: {}", e.getCause().getMessage());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
