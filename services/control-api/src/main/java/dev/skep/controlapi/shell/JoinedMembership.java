package dev.skep.controlapi.shell;

import dev.skep.api.v1.JoinRequest;
import dev.skep.backend.StoreException;
import dev.skep.certificates.v1.IssueReply;
import dev.skep.certificates.v1.Manager;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.ApiError;
import dev.skep.controlapi.core.ClusterWrites;
import dev.skep.dispatcher.v1.DispatcherGrpc;
import dev.skep.dispatcher.v1.LeaveRequest;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership;
import dev.skep.runtime.grpc.Joining;
import dev.skep.runtime.grpc.ManagerKeys;
import dev.skep.runtime.grpc.NodeCaller;
import dev.skep.runtime.identity.JoinToken;
import dev.skep.runtime.identity.NodeRole;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes this host into a cluster that others founded, and out of it. */
final class JoinedMembership {
  /** The process in which a host becomes a manager. */
  interface Place {
    /** Takes the port, and answers host:port. Throws in Docker's words. */
    String open(String listenAddress) throws IOException;

    /** Gives the port back. */
    void close();

    /** Whether this process has the store of the cluster, or needs none. */
    boolean has(String clusterId);

    /** The process goes on with the cluster's store, when the answer is out. */
    void again(Membership.Identity manager);
  }

  private static final Logger LOG = LoggerFactory.getLogger(JoinedMembership.class);
  private static final Duration SESSION_LIMIT = Duration.ofSeconds(20);
  private static final Duration FAREWELL_LIMIT = Duration.ofSeconds(3);

  private final Host host;
  private final Joining joining;
  private final Place place;

  JoinedMembership(Host host, SecureRandom random, Place place) {
    this.host = host;
    this.place = place;
    this.joining = new Joining(host.clock(), random);
  }

  /** Answers the node's id. Until the membership is written nothing has happened. */
  Answer<String> join(JoinRequest request) {
    Optional<ApiError> refusal = ClusterWrites.availability(request.getAvailability());
    if (refusal.isPresent()) {
      return Answer.refused(refusal.get());
    }
    if (request.getRemoteAddrsCount() == 0) {
      return Answer.refused(ApiError.badRequest("at least 1 RemoteAddr is required to join"));
    }
    Optional<JoinToken> token = JoinToken.parse(request.getJoinToken());
    if (token.isEmpty()) {
      return Answer.refused(ApiError.badJoinToken());
    }
    // What the user wrote wrongly is told before a node is made of it.
    return AdvertisedAddress.joining(request.getAdvertiseAddr(), "")
        .then(_ -> AdvertisedAddress.listening(request.getListenAddr()))
        .then(listen -> AdvertisedAddress.dataPath(request.getDataPathAddr())
            .then(dataPath -> certified(request, token.get()).then(joined -> member(request, joined, listen, dataPath))));
  }

  /** Asks one manager after the other while none of them answers. */
  private Answer<Joining.Outcome.Joined> certified(JoinRequest request, JoinToken token) {
    Answer<Joining.Outcome.Joined> answer = Answer.refused(ApiError.badJoinToken());
    for (String manager : request.getRemoteAddrsList()) {
      Joining.Outcome outcome;
      try {
        outcome = joining.join(manager, token, request.getAvailability());
      } catch (IllegalArgumentException e) {
        return Answer.refused(ApiError.badRequest(e.getMessage()));
      }
      answer = switch (outcome) {
        case Joining.Outcome.Joined joined -> Answer.ok(joined);
        case Joining.Outcome.WrongRoot(String expected) -> Answer.refused(ApiError.wrongRoot(expected));
        case Joining.Outcome.WrongClock(Instant here, Instant there) -> Answer.refused(clocks(here, there));
        case Joining.Outcome.Refused(Status.Code code, String text) -> Answer.refused(ApiError.rpc(ApiError.code(code.value()), text));
      };
      if (!(outcome instanceof Joining.Outcome.Refused(Status.Code code, String _) && code == Status.Code.UNAVAILABLE)) {
        return answer;
      }
    }
    return answer;
  }

  private static ApiError clocks(Instant here, Instant there) {
    Duration apart = Duration.between(here, there).abs();
    String more = "%d h %d min".formatted(apart.toHours(), apart.toMinutesPart());
    return ApiError.badRequest("the clock of this machine (" + here + ") and that of the manager (" + there + ") differ by " + more
        + ", and certificates live by the time: set both by NTP (for example with chrony), then join again");
  }

  private Answer<String> member(JoinRequest request, Joining.Outcome.Joined joined, String listen, String dataPath) {
    IssueReply reply = joined.reply();
    return AdvertisedAddress.joining(request.getAdvertiseAddr(), joined.localAddress()).then(advertised -> {
      List<String> managers =
          reply.getManagersCount() == 0 ? request.getRemoteAddrsList() : reply.getManagersList().stream().map(Manager::getAddress).toList();
      Membership.Identity worker = new Membership.Identity(
          reply.getClusterId(), reply.getNodeId(), false, advertised, dataPath.isEmpty() ? advertised : dataPath, listen, managers);
      host.session().none();
      host.trust().install(joined.certificate(), reply.getRootsPemList());
      if (reply.getRole().equals(NodeRole.MANAGER.text())) {
        return manager(request, worker);
      }
      host.membership().become(worker);
      return Answer.ok(reply.getNodeId());
    });
  }

  /** The port, the cluster's keys, and then the membership; what fails on the way leaves a node that never came. */
  private Answer<String> manager(JoinRequest request, Membership.Identity asWorker) {
    try {
      ManagerKeys keys = ManagerKeys.fetch(concat(request.getRemoteAddrsList(), asWorker.managers()), host.trust());
      host.tryStore(keys.access());
      String door = place.open(asWorker.listenAddress());
      String own = AdvertisedAddress.reachable(asWorker.advertiseAddress(), request.getAdvertiseAddr(), door);
      Membership.Identity manager = new Membership.Identity(asWorker.clusterId(), asWorker.nodeId(), true, asWorker.advertiseAddress(),
          asWorker.dataPathAddress(), door, concat(List.of(own), asWorker.managers()));
      keys.install(host.dataFolder("identity"));
      if (place.has(manager.clusterId())) {
        host.membership().become(manager);
      } else {
        place.close(); // it belongs to the next process
        host.membership().prepare(manager);
        place.again(manager);
      }
      return Answer.ok(manager.nodeId());
    } catch (StatusRuntimeException e) {
      return undone(asWorker, ApiError.rpc(ApiError.code(e.getStatus().getCode().value()), String.valueOf(e.getStatus().getDescription())));
    } catch (StoreException e) {
      return undone(asWorker, ApiError.rpc(ApiError.Code.UNAVAILABLE, e.getMessage()));
    } catch (IOException e) {
      return undone(asWorker, ApiError.internal(e.getMessage()));
    }
  }

  /** The cluster made a node of this host, and only a manager can take it out again: whoever reads why is told how. */
  private Answer<String> undone(Membership.Identity asWorker, ApiError why) {
    place.close();
    ManagerKeys.erase(host.dataFolder("identity"));
    host.trust().erase();
    ApiError told = why.and("The cluster has a node %1$s of this host now: on a manager, docker node demote %1$s && docker node rm %1$s; then join again"
        .formatted(asWorker.nodeId()));
    LOG.warn("not joined: {}", told.message());
    return Answer.refused(told);
  }

  private static List<String> concat(List<String> first, List<String> more) {
    return Stream.concat(first.stream(), more.stream()).distinct().toList();
  }

  /** The node belongs to the cluster; whoever asked for it wants to see it there. */
  Answer<String> awaitSession(String nodeId) {
    if (host.membership().current().isEmpty()) {
      return Answer.ok(nodeId); // the next process opens it
    }
    try {
      return host.session().awaitOpen(SESSION_LIMIT) ? Answer.ok(nodeId) : Answer.refused(ApiError.joinContinues());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Answer.refused(ApiError.joinContinues());
    }
  }

  /** Leaves, whether or not a manager can be told: then the cluster learns it from the silence. */
  void leave(Membership.Identity identity) {
    try {
      DispatcherGrpc.newBlockingStub(NodeCaller.channel(host.channel("dispatcher", "leave"), identity.nodeId()))
          .withDeadlineAfter(FAREWELL_LIMIT.toMillis(), TimeUnit.MILLISECONDS)
          .leave(LeaveRequest.getDefaultInstance());
    } catch (StatusRuntimeException e) {
      LOG.warn("the cluster could not be told that node {} leaves: {}", identity.nodeId(), e.getMessage());
    }
    host.membership().leave();
    host.session().none();
    host.trust().erase();
  }
}
