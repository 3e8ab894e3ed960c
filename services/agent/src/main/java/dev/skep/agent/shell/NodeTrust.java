package dev.skep.agent.shell;

import com.google.protobuf.ByteString;
import dev.skep.api.v1.NodeDescription;
import dev.skep.certificates.v1.CertificatesGrpc;
import dev.skep.certificates.v1.IssueReply;
import dev.skep.certificates.v1.IssueRequest;
import dev.skep.certificates.v1.Manager;
import dev.skep.dispatcher.v1.SessionMessage;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.grpc.NodeCaller;
import dev.skep.runtime.identity.CertificateAuthority;
import dev.skep.runtime.identity.NodeCertificate;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what this node must have to be believed: it renews its certificate at a random point between 50 and 80 % of its
 * life, or when the cluster says so, and remembers the cluster's roots and managers. State is the agent's thread's.
 */
final class NodeTrust {
  private static final Logger LOG = LoggerFactory.getLogger(NodeTrust.class);
  private static final double EARLIEST = 0.5;
  private static final double LATEST = 0.8;
  private static final Duration CALL = Duration.ofSeconds(15);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

  private final Host host;
  private final Executor agent;
  private final String nodeId;
  private final Runnable changed;
  private final SecureRandom random = new SecureRandom();
  private final CertificatesGrpc.CertificatesBlockingStub cluster;
  private final RoleChange role;
  private List<String> managers = List.of(); // the others
  private Optional<NodeDescription> shown = Optional.empty(); // with the present certificate's issuer
  private Duration pause = FIRST_PAUSE;
  private Optional<Instant> due = Optional.empty(); // when the present certificate is renewed
  private boolean renewing;
  private boolean closed;

  /** @param changed this node has something new to report */
  NodeTrust(Host host, Executor agent, String nodeId, Runnable changed) {
    this.host = host;
    this.agent = agent;
    this.nodeId = nodeId;
    this.changed = changed;
    this.role = new RoleChange(host, agent, this);
    this.cluster = CertificatesGrpc.newBlockingStub(NodeCaller.channel(host.channel("dispatcher", "certificates"), nodeId));
  }

  /** @param farewell runs before the process starts again, and runs what it is given when that may be */
  void beforeRestart(Consumer<Runnable> farewell) {
    role.beforeRestart(farewell);
  }

  /** Asked with every beat: what comes due while no manager can be reached could not be done anyway. */
  void look() {
    if (due.isEmpty()) { // without a certificate nothing is due: the cluster asks for it with the session
      due = host.trust().certificate().map(own -> own.at(ThreadLocalRandom.current().nextDouble(EARLIEST, LATEST)));
    }
    if (due.isPresent() && !host.clock().instant().isBefore(due.get())) {
      renew();
    }
  }

  /** What a session says of managers, roots and certificates. */
  void heard(SessionMessage message) {
    if (message.getManagersCount() > 0) {
      managers = message.getManagersList().stream().filter(one -> !one.getNodeId().equals(nodeId)).map(Manager::getAddress).toList();
      host.membership().current().filter(this::isThis).ifPresent(this::remember);
    }
    if (message.getRootsPemCount() > 0) {
      host.trust().trust(message.getRootsPemList());
      moved();
    }
    if (message.getRenew()) {
      renew();
    }
    role.heard(message.getRole());
  }

  /** A manager's own door stays the first. */
  private void remember(Identity own) {
    List<String> known = own.manager() ? Stream.concat(own.managers().stream().limit(1), managers.stream()).distinct().toList() : managers;
    if (!known.isEmpty() && !known.equals(own.managers())) {
      host.membership().become(own.withManagers(known));
    }
  }

  /** All other managers that this node was told of. */
  List<String> managers() {
    return managers;
  }

  private boolean isThis(Identity identity) {
    return identity.nodeId().equals(nodeId);
  }

  /** The description with what this node proves itself with. */
  NodeDescription described(NodeDescription description) {
    if (shown.isEmpty()) {
      NodeDescription.Builder certified = NodeDescription.newBuilder();
      host.trust().certificate().ifPresent(_ -> certified.setTlsInfo(host.trust().info()));
      shown = Optional.of(certified.build());
    }
    return shown.get().hasTlsInfo() ? description.toBuilder().setTlsInfo(shown.get().getTlsInfo()).build() : description;
  }

  private void moved() {
    shown = Optional.empty();
    changed.run();
  }

  /** There is something new to report. */
  void reported() {
    changed.run();
  }

  /** Why this node is not the manager that it is to be; empty when nothing is in the way. */
  String cannotManage() {
    return role.problem();
  }

  void renew() {
    if (renewing || closed) {
      return;
    }
    renewing = true;
    host.blocking("agent-renewal", () -> {
      KeyPair keys = NodeCertificate.freshKey(random);
      IssueRequest request = IssueRequest.newBuilder().setCsr(ByteString.copyFrom(CertificateAuthority.request(keys))).build();
      try {
        IssueReply reply = cluster.withDeadlineAfter(CALL.toMillis(), TimeUnit.MILLISECONDS).issue(request);
        agent.execute(() -> renewed(NodeCertificate.of(keys.getPrivate(), reply.getChainPem()), reply.getRootsPemList()));
      } catch (StatusRuntimeException e) {
        agent.execute(() -> failed(e.getStatus()));
      }
    });
  }

  private void renewed(NodeCertificate certificate, List<String> roots) {
    renewing = false;
    pause = FIRST_PAUSE;
    if (closed || host.membership().current().filter(this::isThis).isEmpty()) {
      return; // it is no node any more, and must not leave a certificate behind
    }
    host.trust().install(certificate, roots);
    LOG.info("a new certificate, good until {}", certificate.ends());
    due = Optional.empty();
    moved();
    role.certified();
  }

  private void failed(Status why) {
    renewing = false;
    if (closed) {
      return;
    }
    LOG.warn("no new certificate ({}: {}); trying again in {}", why.getCode(), why.getDescription(), pause);
    due = Optional.of(host.clock().instant().plus(pause));
    Duration doubled = pause.multipliedBy(2);
    pause = doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled;
  }

  void close() {
    closed = true;
    role.close();
  }
}
