package dev.skep.skepd;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import dev.skep.certificates.v1.CertificatesOuterClass;
import dev.skep.control.v1.ControlOuterClass;
import dev.skep.dispatcher.v1.DispatcherOuterClass;
import dev.skep.runtime.identity.Caller;
import dev.skep.runtime.identity.CertificateAuthority;
import dev.skep.runtime.identity.NodeCertificate;
import dev.skep.runtime.identity.NodeName;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.runtime.identity.RpcRoles;
import dev.skep.runtime.identity.Trust;
import dev.skep.state.Rows;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every RPC and every kind of caller, over the real door; a call that must succeed comes before and after each of them. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class CallersTest {
  /** What came of a call: the door let it in, the door refused it, or there was no connection. */
  private enum Verdict {
    LET_IN,
    REFUSED,
    REMOVED,
    NO_CONNECTION,
    NOT_SERVED
  }

  private static final String ROOTS = "skep.certificates.v1.Certificates/Roots";

  @TempDir Path folder;
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final SecureRandom random = new SecureRandom();
  private final TreeMap<String, MethodDescriptor> rpcs = new TreeMap<>();
  private Nodes nodes;
  private Nodes.Node manager;
  private CertificateAuthority authority;
  private String cluster;
  private ManagedChannel control;

  @BeforeEach
  void found() throws Exception {
    nodes = new Nodes(folder);
    manager = nodes.manager();
    authority = Nodes.authority(manager);
    cluster = manager.host.membership().current().orElseThrow().clusterId();
    for (var file : List.of(ControlOuterClass.getDescriptor(), DispatcherOuterClass.getDescriptor(), CertificatesOuterClass.getDescriptor())) {
      for (ServiceDescriptor service : file.getServices()) {
        service.getMethods().forEach(method -> rpcs.put(service.getFullName() + "/" + method.getName(), method));
      }
    }
    control = as(certificate(authority, manager.id(), NodeRole.MANAGER, cluster, Instant.now()), authority);
  }

  @AfterEach
  void close() {
    channels.forEach(ManagedChannel::shutdownNow);
    nodes.close();
  }

  private NodeCertificate certificate(CertificateAuthority by, String node, NodeRole role, String ofCluster, Instant when) {
    return nodes.certificate(by, new NodeName(node, role, ofCluster), when);
  }

  /** A connection that shows this certificate and believes this root. */
  private ManagedChannel as(NodeCertificate certificate, CertificateAuthority believed) {
    Trust trust = new Trust(folder.resolve("caller" + channels.size()), Clock.systemUTC());
    trust.install(certificate, List.of(believed.certificatePem()));
    return connected(SslContextBuilder.forClient().keyManager(trust.keys()));
  }

  private ManagedChannel connected(SslContextBuilder tls) {
    String[] door = Nodes.door(manager).split(":");
    try {
      ManagedChannel channel = NettyChannelBuilder.forAddress(door[0], Integer.parseInt(door[1]))
          .overrideAuthority("swarm-manager")
          .sslContext(GrpcSslContexts.configure(
              tls.trustManager(Trust.managersUnder(authority.certificatePem(), Clock.systemUTC())), SslProvider.JDK).build())
          .build();
      channels.add(channel);
      return channel;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String worker() {
    String id = "worker" + channels.size();
    manager.host.put(Rows.NODE_SPEC.key(id), manager.host.view().state().value(Rows.NODE_SPEC.key(manager.id())).toBuilder().setId(id).build());
    return id;
  }

  /** What the table says of a caller, for all RPCs, with the control before and after. */
  private void judged(ManagedChannel channel, Function<String, Verdict> expected) {
    assertThat(call(control, ROOTS)).isEqualTo(Verdict.LET_IN);
    TreeMap<String, Verdict> want = new TreeMap<>();
    TreeMap<String, Verdict> have = new TreeMap<>();
    for (String rpc : rpcs.keySet()) {
      want.put(rpc, expected.apply(rpc));
      have.put(rpc, call(channel, rpc));
    }
    assertThat(have).isEqualTo(want);
    assertThat(call(control, ROOTS)).isEqualTo(Verdict.LET_IN);
  }

  private static Function<String, Verdict> byTable(Caller caller) {
    return rpc -> RpcRoles.allowed(rpc, caller) ? Verdict.LET_IN : Verdict.REFUSED;
  }

  /** Sends an empty message; what the service makes of it does not matter. */
  private Verdict call(ManagedChannel channel, String rpc) {
    CompletableFuture<Verdict> verdict = new CompletableFuture<>();
    ClientCall<byte[], byte[]> call = channel.newCall(bytes(rpc), CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS));
    call.start(new ClientCall.Listener<>() {
      @Override
      public void onMessage(byte[] message) {
        verdict.complete(Verdict.LET_IN);
      }

      @Override
      public void onClose(Status status, Metadata trailers) {
        verdict.complete(judge(rpc, status));
      }
    }, new Metadata());
    call.request(1);
    call.sendMessage(new byte[0]);
    call.halfClose();
    try {
      return verdict.get(30, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError(rpc + " did not end", e);
    } finally {
      call.cancel("seen enough", null);
    }
  }

  private static Verdict judge(String rpc, Status status) {
    String text = String.valueOf(status.getDescription());
    boolean gate = text.startsWith(rpc);
    return switch (status.getCode()) {
      case UNAUTHENTICATED, PERMISSION_DENIED -> gate ? Verdict.REFUSED : text.contains("it was removed") ? Verdict.REMOVED : Verdict.LET_IN;
      case UNAVAILABLE -> text.contains("registers too often") ? Verdict.LET_IN : Verdict.NO_CONNECTION; // its own agent tries, too
      case UNIMPLEMENTED -> Verdict.NOT_SERVED;
      case DEADLINE_EXCEEDED -> throw new AssertionError(rpc + " hangs");
      default -> Verdict.LET_IN;
    };
  }

  private io.grpc.MethodDescriptor<byte[], byte[]> bytes(String rpc) {
    MethodDescriptor method = rpcs.get(rpc);
    io.grpc.MethodDescriptor.MethodType type = method.isClientStreaming()
        ? method.isServerStreaming() ? io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING : io.grpc.MethodDescriptor.MethodType.CLIENT_STREAMING
        : method.isServerStreaming() ? io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING : io.grpc.MethodDescriptor.MethodType.UNARY;
    return io.grpc.MethodDescriptor.<byte[], byte[]>newBuilder()
        .setType(type).setFullMethodName(rpc).setRequestMarshaller(new Raw()).setResponseMarshaller(new Raw()).build();
  }

  private static final class Raw implements io.grpc.MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  @Test
  void whoShowsNoCertificateMayAskToJoin() {
    judged(connected(SslContextBuilder.forClient()), byTable(new Caller.Stranger()));
    Set<String> open = new TreeSet<>();
    rpcs.keySet().stream().filter(rpc -> RpcRoles.allowed(rpc, new Caller.Stranger())).forEach(open::add);
    assertThat(open).containsExactly("skep.certificates.v1.Certificates/Issue", ROOTS);
  }

  @Test
  void aWorkerAndAManagerMayWhatTheTableSays() {
    String worker = worker();
    judged(as(certificate(authority, worker, NodeRole.WORKER, cluster, Instant.now()), authority), byTable(new Caller.Node(worker, NodeRole.WORKER)));
    judged(as(certificate(authority, manager.id(), NodeRole.MANAGER, cluster, Instant.now()), authority),
        byTable(new Caller.Node(manager.id(), NodeRole.MANAGER)));
  }

  @Test
  void whoeverShowsABadCertificateHasNoConnection() {
    String worker = worker();
    CertificateAuthority foreign = CertificateAuthority.create(Instant.now(), random);
    List<NodeCertificate> bad = List.of(
        certificate(foreign, worker, NodeRole.WORKER, cluster, Instant.now()),
        certificate(authority, worker, NodeRole.WORKER, "anothercluster", Instant.now()),
        certificate(authority, worker, NodeRole.WORKER, cluster, Instant.now().minus(Duration.ofDays(91))),
        certificate(authority, worker, NodeRole.MANAGER, cluster, Instant.now().plus(Duration.ofHours(2))));
    for (NodeCertificate certificate : bad) {
      judged(as(certificate, authority), _ -> Verdict.NO_CONNECTION);
    }
  }

  @Test
  void aRemovedNodeIsRefusedEverywhereAndItsStreamsEnd() throws Exception {
    String worker = worker();
    NodeCertificate certificate = certificate(authority, worker, NodeRole.WORKER, cluster, Instant.now());
    ManagedChannel channel = as(certificate, authority);
    CompletableFuture<Boolean> opened = new CompletableFuture<>();
    CompletableFuture<Status> ended = new CompletableFuture<>();
    ClientCall<byte[], byte[]> session = channel.newCall(bytes("skep.dispatcher.v1.Dispatcher/Session"), CallOptions.DEFAULT);
    session.start(new ClientCall.Listener<>() {
      @Override
      public void onMessage(byte[] message) {
        opened.complete(true);
      }

      @Override
      public void onClose(Status status, Metadata trailers) {
        ended.complete(status);
      }
    }, new Metadata());
    session.request(100);
    session.sendMessage(new byte[0]);
    session.halfClose();
    assertThat(opened.get(20, TimeUnit.SECONDS)).isTrue();
    manager.host.delete(Rows.NODE_SPEC.key(worker));
    assertThat(ended.get(20, TimeUnit.SECONDS).getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
    judged(channel, _ -> Verdict.REMOVED);
    judged(as(certificate, authority), _ -> Verdict.REMOVED);
  }

  @Test
  void anApiClientOnTheUnixSocketMayAskTheApiOnly() {
    EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    try {
      ManagedChannel channel = NettyChannelBuilder.forAddress(new DomainSocketAddress(manager.controlSocket().toFile()))
          .eventLoopGroup(loops).channelType(EpollDomainSocketChannel.class).overrideAuthority("localhost").usePlaintext().build();
      channels.add(channel);
      rpcs.remove("skep.control.v1.Control/Watch"); // let in, and silent until something happens
      judged(channel, rpc -> rpc.startsWith("skep.control.v1.Control/") ? Verdict.LET_IN : Verdict.NOT_SERVED);
    } finally {
      channels.forEach(ManagedChannel::shutdownNow);
      loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }

  @Test
  void whoDoesNotSpeakTlsHasNoConnection() {
    String[] door = Nodes.door(manager).split(":");
    ManagedChannel clear = NettyChannelBuilder.forAddress(door[0], Integer.parseInt(door[1])).usePlaintext().build();
    channels.add(clear);
    assertThat(Optional.of(call(clear, ROOTS))).contains(Verdict.NO_CONNECTION);
    assertThat(call(control, ROOTS)).isEqualTo(Verdict.LET_IN);
  }
}
