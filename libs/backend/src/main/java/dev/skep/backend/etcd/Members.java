package dev.skep.backend.etcd;

import com.google.protobuf.ByteString;
import dev.skep.backend.Access.TlsFiles;
import dev.skep.backend.StoreException;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** The servers of the cluster. One of them is asked, until it does not answer. */
final class Members implements AutoCloseable {
  private final List<Member> all;
  private final AtomicInteger turn;

  Members(EtcdConfig config, Tokens tokens, ByteString probeKey) {
    ChannelCredentials credentials = credentials(config.access().tls());
    all = config.endpoints().stream().map(at -> new Member(at, credentials, tokens, probeKey, config.silence())).toList();
    turn = new AtomicInteger(ThreadLocalRandom.current().nextInt(all.size())); // clients spread over the servers
  }

  private static ChannelCredentials credentials(Optional<TlsFiles> files) {
    if (files.isEmpty()) {
      return InsecureChannelCredentials.create();
    }
    TlsFiles tls = files.get();
    try {
      TlsChannelCredentials.Builder credentials = TlsChannelCredentials.newBuilder().trustManager(tls.root().toFile());
      if (tls.certificate().isPresent()) {
        credentials.keyManager(tls.certificate().get().toFile(), tls.key().orElseThrow().toFile());
      }
      return credentials.build();
    } catch (IOException | IllegalArgumentException e) {
      throw new StoreException("cannot use the TLS files for etcd (" + tls.root() + tls.certificate().map(path -> ", " + path).orElse("")
          + tls.key().map(path -> ", " + path).orElse("") + "): " + e.getMessage(), e);
    }
  }

  int count() {
    return all.size();
  }

  Member current() {
    return all.get(Math.floorMod(turn.get(), all.size()));
  }

  /** This one does not answer: from now on the next one is asked. */
  void leave(Member silent) {
    int now = turn.get();
    if (all.get(Math.floorMod(now, all.size())) == silent) {
      turn.compareAndSet(now, now + 1);
    }
  }

  @Override
  public String toString() {
    return String.join(", ", all.stream().map(Member::endpoint).toList());
  }

  @Override
  public void close() {
    all.forEach(Member::close);
  }
}
