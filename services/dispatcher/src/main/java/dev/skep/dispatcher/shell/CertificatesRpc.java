package dev.skep.dispatcher.shell;

import com.google.protobuf.Timestamp;
import dev.skep.backend.StoreException;
import dev.skep.certificates.v1.AdmissionGrpc;
import dev.skep.certificates.v1.AdmitRequest;
import dev.skep.certificates.v1.CertificatesGrpc;
import dev.skep.certificates.v1.IssueReply;
import dev.skep.certificates.v1.IssueRequest;
import dev.skep.certificates.v1.RootsReply;
import dev.skep.certificates.v1.RootsRequest;
import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.dispatcher.core.ClusterTrust;
import dev.skep.dispatcher.core.Stamp;
import dev.skep.runtime.Host;
import dev.skep.runtime.grpc.NodeCaller;
import dev.skep.runtime.identity.CertificateAuthority;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.state.ClusterState;
import dev.skep.state.EmbeddedCluster;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeSpecRow;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.security.PublicKey;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Certificates for machines that join and for nodes whose own grows old. Handlers run on virtual threads and may wait. */
final class CertificatesRpc extends CertificatesGrpc.CertificatesImplBase {
  private static final Logger LOG = LoggerFactory.getLogger(CertificatesRpc.class);
  private static final int AT_ONCE = 16;
  private static final String BAD_TOKEN = "A valid join token is necessary to join this cluster";

  private final Host host;
  private final DispatcherConfig config;
  private final Issuer issuer;
  private final Semaphore turns = new Semaphore(AT_ONCE);

  CertificatesRpc(Host host, DispatcherConfig config) {
    this.host = host;
    this.config = config;
    this.issuer = new Issuer(host);
  }

  @Override
  public void roots(RootsRequest request, StreamObserver<RootsReply> reply) {
    try {
      Timestamp now = Stamp.of(host.clock().instant());
      reply.onNext(RootsReply.newBuilder().addAllRootsPem(Issuer.roots(host.view().state())).setNow(now).build());
      reply.onCompleted();
    } catch (StatusRuntimeException e) {
      reply.onError(e);
    }
  }

  @Override
  public void issue(IssueRequest request, StreamObserver<IssueReply> reply) {
    if (!turns.tryAcquire()) {
      reply.onError(Status.RESOURCE_EXHAUSTED.withDescription("too many nodes ask for a certificate at once: come back later").asRuntimeException());
      return;
    }
    try {
      reply.onNext(request.getToken().isEmpty() ? renewed(request) : joined(request));
      reply.onCompleted();
    } catch (StatusRuntimeException | StoreException e) {
      reply.onError(Failures.status(e).asRuntimeException());
    } finally {
      turns.release();
    }
  }

  private IssueReply joined(IssueRequest request) {
    ClusterState state = host.view().fresh(config.storePatience());
    Issuer.roots(state); // there is a cluster
    NodeRole role = issuer.invited(state, request.getToken())
        .orElseThrow(() -> Status.INVALID_ARGUMENT.withDescription(BAD_TOKEN).asRuntimeException());
    if (role == NodeRole.MANAGER && !host.storeAccess().shared()) {
      throw Status.FAILED_PRECONDITION.withDescription(EmbeddedCluster.ONE_MANAGER).asRuntimeException();
    }
    PublicKey key = key(request);
    String nodeId = host.ids().next();
    AdmitRequest admission =
        AdmitRequest.newBuilder().setNodeId(nodeId).setRole(role.text()).setAvailability(request.getAvailability()).build();
    AdmissionGrpc.newBlockingStub(host.channel("control-api")).withDeadlineAfter(config.storePatience().toMillis(), TimeUnit.MILLISECONDS)
        .admit(admission);
    LOG.info("node {} joins as {}", nodeId, role.text());
    return issued(host.view().fresh(config.storePatience()), nodeId, role, key);
  }

  private IssueReply renewed(IssueRequest request) {
    String nodeId = NodeCaller.current();
    if (nodeId == null) {
      throw Status.PERMISSION_DENIED.withDescription("neither a join token nor a certificate of this cluster").asRuntimeException();
    }
    ClusterState state = host.view().fresh(config.storePatience());
    NodeSpecRow node = state.value(Rows.NODE_SPEC.key(nodeId));
    if (node == null) {
      throw Status.PERMISSION_DENIED.withDescription("node " + nodeId + " is no node of this cluster: it was removed").asRuntimeException();
    }
    NodeRole role = node.getSpec().getRole().equals(NodeRole.MANAGER.text()) ? NodeRole.MANAGER : NodeRole.WORKER;
    return issued(state, nodeId, role, key(request));
  }

  private static PublicKey key(IssueRequest request) {
    return CertificateAuthority.keyOf(request.getCsr().toByteArray())
        .orElseThrow(() -> Status.INVALID_ARGUMENT.withDescription("not a request for a certificate of a P-256 key").asRuntimeException());
  }

  private IssueReply issued(ClusterState state, String nodeId, NodeRole role, PublicKey key) {
    ClusterRow cluster = state.value(Rows.cluster());
    if (cluster == null) {
      throw Status.UNAVAILABLE.withDescription("this host is no manager of a cluster any more").asRuntimeException();
    }
    return IssueReply.newBuilder()
        .setNodeId(nodeId)
        .setClusterId(cluster.getId())
        .setRole(role.text())
        .setChainPem(issuer.chain(state, nodeId, role, key))
        .addAllRootsPem(Issuer.roots(state))
        .addAllManagers(ClusterTrust.inOrder(ClusterTrust.managers(state, Issuer.own(host)), nodeId))
        .build();
  }
}
