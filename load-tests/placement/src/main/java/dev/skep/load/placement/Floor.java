package dev.skep.load.placement;

import com.google.protobuf.ByteString;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.testkit.etcd.EtcdServer;
import io.etcd.jetcd.api.Compare;
import io.etcd.jetcd.api.DeleteRangeRequest;
import io.etcd.jetcd.api.KVGrpc;
import io.etcd.jetcd.api.PutRequest;
import io.etcd.jetcd.api.RequestOp;
import io.etcd.jetcd.api.TxnRequest;
import io.etcd.jetcd.api.TxnResponse;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What etcd itself needs for the transactions of a run: the same keys, values and numbers of comparisons, sent by a bare
 * client to a fresh server. Commits of one loop follow each other, as in the run; loops do not wait for each other.
 */
final class Floor {
  private static final int OTHERS = 4; // callers of the API

  private final Map<String, List<TxnRequest.Builder>> chains = new TreeMap<>();

  Floor(List<List<RowChange>> revisions) {
    int number = 0;
    for (List<RowChange> changes : revisions) {
      if (!changes.isEmpty()) {
        chains.computeIfAbsent(chain(changes, number++), _ -> new ArrayList<>()).add(request(changes));
      }
    }
  }

  private static String chain(List<RowChange> changes, int number) {
    return changes.stream().filter(change -> change.of(Rows.LEADER)).findFirst().map(change -> change.key().path()).orElse("other " + number % OTHERS);
  }

  private static TxnRequest.Builder request(List<RowChange> changes) {
    TxnRequest.Builder request = TxnRequest.newBuilder();
    for (RowChange change : changes) {
      ByteString key = ByteString.copyFromUtf8(change.key().path());
      if (change.after() == null) {
        request.addSuccess(RequestOp.newBuilder().setRequestDeleteRange(DeleteRangeRequest.newBuilder().setKey(key)));
        continue;
      }
      request.addSuccess(RequestOp.newBuilder().setRequestPut(PutRequest.newBuilder().setKey(key).setValue(change.after().value().toByteString())));
      if (!change.of(Rows.LEADER)) { // as the row's parent is compared; this one always holds
        request.addCompare(Compare.newBuilder().setKey(key).setTarget(Compare.CompareTarget.CREATE).setResult(Compare.CompareResult.GREATER)
            .setCreateRevision(-1));
      }
    }
    return request;
  }

  /** Seconds for all of them. */
  double seconds() throws Exception {
    try (EtcdServer etcd = EtcdServer.start(); ExecutorService threads = Executors.newCachedThreadPool()) {
      ManagedChannel channel = Grpc.newChannelBuilder(etcd.endpoint(), InsecureChannelCredentials.create()).directExecutor().build();
      try {
        KVGrpc.KVBlockingStub stub = KVGrpc.newBlockingStub(channel);
        stub.txn(TxnRequest.getDefaultInstance());
        long began = System.nanoTime();
        List<Future<?>> runs = new ArrayList<>();
        chains.forEach((name, requests) -> runs.add(threads.submit(() -> run(stub, name, requests))));
        for (Future<?> run : runs) {
          run.get();
        }
        return (System.nanoTime() - began) / 1e9;
      } finally {
        channel.shutdownNow();
      }
    }
  }

  private static void run(KVGrpc.KVBlockingStub stub, String name, List<TxnRequest.Builder> requests) {
    long link = 0;
    for (TxnRequest.Builder request : requests) {
      if (name.startsWith(Rows.LEADER.prefix())) {
        request.addCompare(Compare.newBuilder().setKey(ByteString.copyFromUtf8(name)).setTarget(Compare.CompareTarget.MOD)
            .setResult(Compare.CompareResult.EQUAL).setModRevision(link));
      }
      TxnResponse answer = stub.txn(request.build());
      if (!answer.getSucceeded()) {
        throw new IllegalStateException("the floor's own chain is broken");
      }
      link = answer.getHeader().getRevision();
    }
  }
}
