package dev.skep.backend.etcd;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.etcd.jetcd.api.WatchCreateRequest;
import io.etcd.jetcd.api.WatchGrpc;
import io.etcd.jetcd.api.WatchRequest;
import io.etcd.jetcd.api.WatchResponse;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** One watch on one server. The server sends no more than a few responses ahead of who reads them. */
final class WatchStream implements AutoCloseable {
  private static final int AHEAD = 4;
  /** A server that has no leader would stay silent for ever; with this it ends the watch. */
  private static final Metadata.Key<String> NEEDS_LEADER = Metadata.Key.of("hasleader", Metadata.ASCII_STRING_MARSHALLER);
  // Fields that the stubs do not have: "may be sent in fragments", and "more fragments follow".
  private static final int FRAGMENT_OF_REQUEST = 8;
  private static final int FRAGMENT_OF_RESPONSE = 7;
  private static final UnknownFieldSet FRAGMENTS_WELCOME =
      UnknownFieldSet.newBuilder().addField(FRAGMENT_OF_REQUEST, UnknownFieldSet.Field.newBuilder().addVarint(1).build()).build();

  /** What came. */
  sealed interface Signal {
    record Said(WatchResponse response) implements Signal {}

    record Ended(Status status) implements Signal {}

    record Woken() implements Signal {}

    record Silence() implements Signal {}
  }

  private final BlockingQueue<Signal> signals = new LinkedBlockingQueue<>(); // bounded by what was asked for
  private final ClientCall<WatchRequest, WatchResponse> call;

  private WatchStream(ClientCall<WatchRequest, WatchResponse> call) {
    this.call = call;
  }

  static WatchStream open(Member member, ByteString first, ByteString end, long from) {
    WatchStream stream = new WatchStream(member.channel().newCall(WatchGrpc.getWatchMethod(), CallOptions.DEFAULT));
    Metadata headers = new Metadata();
    headers.put(NEEDS_LEADER, "true");
    stream.call.start(stream.new Listener(), headers);
    stream.call.request(AHEAD);
    stream.call.sendMessage(WatchRequest.newBuilder().setCreateRequest(WatchCreateRequest.newBuilder().setKey(first).setRangeEnd(end)
        .setStartRevision(from).setProgressNotify(true).setUnknownFields(FRAGMENTS_WELCOME)).build());
    return stream;
  }

  Signal next(Duration patience) throws InterruptedException {
    Signal signal = signals.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
    return signal == null ? new Signal.Silence() : signal;
  }

  /** The last response was dealt with: another one may come. */
  void more() {
    call.request(1);
  }

  /** Ends the wait of whoever waits in {@link #next}. */
  void wake() {
    signals.add(new Signal.Woken());
  }

  static boolean hasMoreFragments(WatchResponse response) {
    return response.getUnknownFields().getField(FRAGMENT_OF_RESPONSE).getVarintList().contains(1L);
  }

  @Override
  public void close() {
    call.cancel("nobody watches any more", null);
  }

  private final class Listener extends ClientCall.Listener<WatchResponse> {
    @Override
    public void onMessage(WatchResponse response) {
      signals.add(new Signal.Said(response));
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      signals.add(new Signal.Ended(status));
    }
  }
}
