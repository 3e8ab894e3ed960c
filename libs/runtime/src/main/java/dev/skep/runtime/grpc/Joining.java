package dev.skep.runtime.grpc;

import dev.skep.certificates.v1.CertificatesGrpc;
import dev.skep.certificates.v1.CertificatesGrpc.CertificatesBlockingStub;
import dev.skep.certificates.v1.IssueReply;
import dev.skep.certificates.v1.IssueRequest;
import dev.skep.certificates.v1.RootsReply;
import dev.skep.certificates.v1.RootsRequest;
import dev.skep.runtime.NetworkDoor;
import dev.skep.runtime.identity.CertificateAuthority;
import dev.skep.runtime.identity.JoinToken;
import dev.skep.runtime.identity.NodeCertificate;
import dev.skep.runtime.identity.Trust;
import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * How a machine becomes a node. It asks a manager for the cluster's roots without believing it, compares the first with the
 * digest in the token, and only then sends the token, over TLS that believes exactly this root. Blocking.
 */
public final class Joining {
  private static final Duration DIAL = Duration.ofSeconds(5);
  private static final Duration CALL = Duration.ofSeconds(15);
  private static final Duration MOST_SKEW = Duration.ofHours(1);

  /** What came of it. */
  public sealed interface Outcome {
    /** @param localAddress of this machine, on the way to the manager */
    record Joined(NodeCertificate certificate, IssueReply reply, String localAddress) implements Outcome {}

    /** A manager said no, or could not be spoken to: the code and text of gRPC. */
    record Refused(Status.Code code, String text) implements Outcome {}

    /** What answered is not the cluster that the token names. */
    record WrongRoot(String expectedHex) implements Outcome {}

    /** The clocks differ by more than certificates forgive. */
    record WrongClock(Instant here, Instant there) implements Outcome {}
  }

  private final Clock clock;
  private final SecureRandom random;

  public Joining(Clock clock, SecureRandom random) {
    this.clock = clock;
    this.random = random;
  }

  /** @param availability empty: active */
  public Outcome join(String manager, JoinToken token, String availability) {
    InetSocketAddress address = HostPort.parse(manager, NetworkDoor.PORT);
    String local;
    try (Socket probe = new Socket()) { // tells what is in the way more precisely than a failed call does
      probe.connect(address, (int) DIAL.toMillis());
      local = probe.getLocalAddress().getHostAddress();
    } catch (IOException e) {
      return new Outcome.Refused(Status.Code.UNAVAILABLE, dialing(address, e));
    }
    return joined(address, token, availability, local);
  }

  /** @param local this host's address on the way there */
  Outcome joined(InetSocketAddress address, JoinToken token, String availability, String local) {
    try {
      RootsReply roots = ask(address, new Unproven(), stub -> stub.roots(RootsRequest.getDefaultInstance()));
      Optional<Outcome> wrong = wrong(roots, token);
      return wrong.isPresent() ? wrong.get() : issued(address, roots.getRootsPem(0), token, availability, local);
    } catch (StatusRuntimeException e) {
      return new Outcome.Refused(e.getStatus().getCode(), text(address, e.getStatus()));
    }
  }

  private Optional<Outcome> wrong(RootsReply roots, JoinToken token) {
    if (roots.getRootsPemCount() == 0 || !JoinToken.digestOf(roots.getRootsPem(0)).equals(token.rootDigest())) {
      return Optional.of(new Outcome.WrongRoot(token.rootDigestHex()));
    }
    Instant here = clock.instant();
    Instant there = Instant.ofEpochSecond(roots.getNow().getSeconds(), roots.getNow().getNanos());
    boolean apart = Duration.between(here, there).abs().compareTo(MOST_SKEW) > 0;
    return apart ? Optional.of(new Outcome.WrongClock(here, there)) : Optional.empty();
  }

  private Outcome issued(InetSocketAddress manager, String root, JoinToken token, String availability, String local) {
    KeyPair keys = NodeCertificate.freshKey(random);
    IssueRequest request = IssueRequest.newBuilder()
        .setCsr(ByteString.copyFrom(CertificateAuthority.request(keys)))
        .setToken(token.text())
        .setAvailability(availability)
        .build();
    IssueReply reply = ask(manager, Trust.managersUnder(root, clock), stub -> stub.issue(request));
    return new Outcome.Joined(NodeCertificate.of(keys.getPrivate(), reply.getChainPem()), reply, local);
  }

  private interface Call<T> {
    T with(CertificatesBlockingStub stub);
  }

  private static <T> T ask(InetSocketAddress address, X509ExtendedTrustManager believed, Call<T> call) {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(address).overrideAuthority(Tls.AUTHORITY).sslContext(Tls.stranger(believed)).directExecutor().build();
    try {
      return call.with(CertificatesGrpc.newBlockingStub(channel).withDeadlineAfter(CALL.toMillis(), TimeUnit.MILLISECONDS));
    } finally {
      channel.shutdownNow();
    }
  }

  private static String dialing(InetSocketAddress address, IOException failure) {
    return "connection error: desc = \"transport: Error while dialing dial tcp " + HostPort.of(address) + ": " + reason(failure) + "\"";
  }

  /** What grpc-java says of a connection is said in Docker's frame; what a manager says is passed on as it is. */
  private static String text(InetSocketAddress address, Status status) {
    Throwable cause = status.getCause();
    if (cause instanceof ConnectException gone) {
      return dialing(address, gone); // it listened a moment ago
    }
    if (status.getCode() == Status.Code.UNAVAILABLE && cause != null) {
      return "connection error: desc = \"transport: authentication handshake failed: " + cause.getMessage() + "\"";
    }
    return String.valueOf(status.getDescription());
  }

  private static String reason(IOException failure) {
    String said = String.valueOf(failure.getMessage()).toLowerCase(Locale.ROOT);
    return switch (failure) {
      case SocketTimeoutException _ -> "i/o timeout";
      case UnknownHostException unknown -> "lookup " + unknown.getMessage() + ": no such host";
      case ConnectException _ when said.contains("refused") -> "connect: connection refused";
      default -> "connect: " + said;
    };
  }

  /** Believes whoever answers: what is asked then is compared with the token's digest, and nothing is told. */
  private static final class Unproven extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
