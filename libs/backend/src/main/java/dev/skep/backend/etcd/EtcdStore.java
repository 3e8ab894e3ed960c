package dev.skep.backend.etcd;

import com.google.protobuf.ByteString;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.backend.Threads;
import io.etcd.jetcd.api.CompactionRequest;
import io.etcd.jetcd.api.DeleteRangeRequest;
import io.etcd.jetcd.api.KVGrpc;
import io.etcd.jetcd.api.PutRequest;
import io.etcd.jetcd.api.RangeRequest;
import io.etcd.jetcd.api.RequestOp;
import io.etcd.jetcd.api.TxnRequest;
import io.etcd.jetcd.api.TxnResponse;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The store of a cluster of several machines. It speaks etcd's API with deadlines, watches and leases of its own, so
 * that no call waits for ever and no commit is sent twice.
 */
public final class EtcdStore implements Store {
  /**
   * What is read to learn the revision, and whether a server lives. There is no such key: it stands for the range behind it,
   * which every user of the store may read.
   */
  static final String REVISION_KEY = "leader/loop/";

  private final Keys keys;
  private final Members members;
  private final Calls calls;
  private final Ranges ranges;
  private final Leases leases;
  private final EtcdWatch.Source source;
  private final Threads threads;
  private final Coalesced<Long> revision;
  private final RequestOp nothing; // an operation that changes nothing
  private final Set<EtcdWatch> watches = ConcurrentHashMap.newKeySet();
  private final AtomicInteger watchesStarted = new AtomicInteger();

  private EtcdStore(EtcdConfig config, Threads threads) {
    keys = Keys.of(config);
    this.threads = threads;
    ByteString anyKey = keys.key(REVISION_KEY);
    Tokens tokens = new Tokens(config.access().credentials());
    members = new Members(config, tokens, anyKey);
    calls = new Calls(members, tokens, config);
    ranges = new Ranges(calls, keys, this::oldest);
    leases = new Leases(calls, members, tokens, threads, config.silence());
    source = new EtcdWatch.Source(members, calls, tokens, keys, config.silence());
    revision = new Coalesced<>(() -> ranges.revision(anyKey));
    nothing = RequestOp.newBuilder().setRequestRange(RangeRequest.newBuilder().setKey(anyKey).setCountOnly(true)).build();
  }

  /** Connects when it is first asked something. Throws {@link StoreException} when the TLS files cannot be used. */
  public static EtcdStore open(EtcdConfig config, Threads threads) {
    return new EtcdStore(config, threads);
  }

  @Override
  public long revision() {
    return revision.get();
  }

  @Override
  public Optional<Entry> get(String key) {
    return ranges.get(key);
  }

  @Override
  public Snapshot read(String prefix) {
    return ranges.read(prefix);
  }

  @Override
  public Snapshot readAt(String prefix, long atRevision) {
    return ranges.readAt(prefix, atRevision);
  }

  @Override
  public Outcome commit(Transaction transaction) {
    transaction.requireValid();
    TxnRequest.Builder request = TxnRequest.newBuilder();
    transaction.compares().forEach(compare -> request.addCompare(compare(compare)));
    transaction.operations().forEach(operation -> request.addSuccess(operation(operation)));
    if (transaction.operations().isEmpty()) {
      // etcd answers a transaction without operations from whatever the asked server knows; this makes it a linearizable read
      request.addSuccess(nothing).addFailure(nothing);
    }
    TxnResponse response;
    try {
      response = calls.once(KVGrpc.getTxnMethod(), request.build());
    } catch (Calls.Refused e) {
      throw Fate.of(e.status()) != Fate.UNKNOWN ? e : new StoreException("nobody knows whether a commit landed: " + e.getMessage(), e);
    }
    long at = response.getHeader().getRevision();
    return response.getSucceeded() ? new Outcome.Committed(at) : new Outcome.Conflict(at);
  }

  private io.etcd.jetcd.api.Compare compare(Compare compare) {
    io.etcd.jetcd.api.Compare.Builder builder = io.etcd.jetcd.api.Compare.newBuilder().setKey(keys.key(compare.key()));
    return switch (compare) {
      case Compare.ModRevision at -> builder.setTarget(io.etcd.jetcd.api.Compare.CompareTarget.MOD)
          .setResult(io.etcd.jetcd.api.Compare.CompareResult.EQUAL).setModRevision(at.revision()).build();
      case Compare.Exists _ -> builder.setTarget(io.etcd.jetcd.api.Compare.CompareTarget.CREATE)
          .setResult(io.etcd.jetcd.api.Compare.CompareResult.GREATER).setCreateRevision(0).build();
    };
  }

  private RequestOp operation(Operation operation) {
    RequestOp.Builder builder = RequestOp.newBuilder();
    return switch (operation) {
      case Operation.Put put -> builder.setRequestPut(PutRequest.newBuilder().setKey(keys.key(put.key()))
          .setValue(ByteString.copyFrom(put.value())).setLease(put.leaseId())).build();
      case Operation.Delete delete -> builder.setRequestDeleteRange(DeleteRangeRequest.newBuilder().setKey(keys.key(delete.key()))).build();
    };
  }

  @Override
  public Watch watch(String prefix, long fromRevision, Watcher watcher) {
    calls.refuseWhenClosed();
    EtcdWatch watch = new EtcdWatch(source, prefix, fromRevision, watcher, watches::remove);
    watches.add(watch);
    threads.start("store-watch-" + watchesStarted.incrementAndGet(), watch);
    return watch;
  }

  /** etcd tells its oldest revision only to who watches from before it. */
  private long oldest() {
    return new Oldest(source).get();
  }

  @Override
  public Lease lease(Duration timeToLive) {
    return leases.grant(timeToLive);
  }

  @Override
  public void compact(long toRevision) {
    try {
      calls.ask(KVGrpc.getCompactMethod(), CompactionRequest.newBuilder().setRevision(toRevision).build());
    } catch (Calls.Refused e) {
      if (!Fate.compacted(e.status())) { // it was done already
        throw e;
      }
    }
  }

  @Override
  public void close() {
    watches.forEach(EtcdWatch::close);
    leases.close();
    calls.close();
    members.close();
  }
}
