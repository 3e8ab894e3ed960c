package dev.skep.runtime.grpc;

import com.google.protobuf.ByteString;
import dev.skep.certificates.v1.AdmissionGrpc;
import dev.skep.certificates.v1.KeysReply;
import dev.skep.certificates.v1.KeysRequest;
import dev.skep.runtime.NetworkDoor;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.identity.Trust;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * What a host's control services need besides its certificate: the cluster key, and where store and log are. Fetched from
 * another manager with the newest certificate, so over a connection of its own. Blocking.
 */
public final class ManagerKeys {
  private static final Duration CALL = Duration.ofSeconds(20); // it makes a user, in a log that may be slow to say that it is away

  private final KeysReply reply;

  private ManagerKeys(KeysReply reply) {
    this.reply = reply;
  }

  /** For another manager's host. */
  public static KeysReply of(ClusterKey key, StoreAccess access) {
    return KeysReply.newBuilder()
        .setClusterKey(ByteString.copyFrom(key.bytes()))
        .putAllSettings(access.settings())
        .putAllPems(access.pems())
        .build();
  }

  /**
   * Asks one manager after the other while none of them answers. Throws StatusRuntimeException with what the last one said.
   *
   * @param managers host:port of their doors
   */
  public static ManagerKeys fetch(List<String> managers, Trust trust) {
    StatusRuntimeException failure = Status.UNAVAILABLE.withDescription("no manager is known").asRuntimeException();
    for (String manager : managers) {
      ManagedChannel channel = NettyChannelBuilder.forAddress(HostPort.parse(manager, NetworkDoor.PORT))
          .overrideAuthority(Tls.AUTHORITY).sslContext(Tls.node(trust)).directExecutor().build();
      try {
        return new ManagerKeys(AdmissionGrpc.newBlockingStub(channel).withDeadlineAfter(CALL.toMillis(), TimeUnit.MILLISECONDS)
            .keys(KeysRequest.getDefaultInstance()));
      } catch (StatusRuntimeException e) {
        failure = e;
        if (e.getStatus().getCode() != Status.Code.UNAVAILABLE && e.getStatus().getCode() != Status.Code.DEADLINE_EXCEEDED) {
          throw e;
        }
      } finally {
        channel.shutdownNow();
      }
    }
    throw failure;
  }

  public StoreAccess access() {
    return new StoreAccess(new TreeMap<>(reply.getSettingsMap()), new TreeMap<>(reply.getPemsMap()));
  }

  /** Writes them down. */
  public void install(Path identityFolder) {
    try {
      ClusterKey.install(identityFolder, reply.getClusterKey().toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the cluster's key", e);
    }
    access().write(identityFolder);
  }

  /** Forgets what makes a manager. */
  public static void erase(Path identityFolder) {
    try {
      ClusterKey.erase(identityFolder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot forget the cluster's key", e);
    }
    StoreAccess.erase(identityFolder);
  }
}
