package dev.skep.controlapi.shell;

import dev.skep.api.v1.NetworkCreateRequest;
import dev.skep.backend.StoreException;
import dev.skep.control.v1.ConfirmRestoreRequest;
import dev.skep.control.v1.ControlGrpc;
import dev.skep.control.v1.CreateRequest;
import dev.skep.control.v1.GetRequest;
import dev.skep.control.v1.GetRestoreRequest;
import dev.skep.control.v1.Kind;
import dev.skep.control.v1.ListReply;
import dev.skep.control.v1.ListRequest;
import dev.skep.control.v1.Object;
import dev.skep.control.v1.RemoveReply;
import dev.skep.control.v1.RemoveRequest;
import dev.skep.control.v1.Restore;
import dev.skep.control.v1.UpdateRequest;
import dev.skep.control.v1.WatchEvent;
import dev.skep.control.v1.WatchRequest;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.ApiError;
import dev.skep.controlapi.core.ClusterWrites;
import dev.skep.controlapi.core.NetworkWrites;
import dev.skep.controlapi.core.NodeWrites;
import dev.skep.controlapi.core.NotBuilt;
import dev.skep.controlapi.core.Restores;
import dev.skep.controlapi.core.ServiceWrites;
import dev.skep.runtime.Host;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.state.ClusterState;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The API for programs: the same decisions as over HTTP. Handlers block; they run on virtual threads. */
final class ControlService extends ControlGrpc.ControlImplBase {
  private static final Logger LOG = LoggerFactory.getLogger(ControlService.class);

  private final Host host;
  private final Cluster cluster;
  private final Commits commits;
  private final RootRotator rotator;

  ControlService(Host host, Cluster cluster, Commits commits, RootRotator rotator) {
    this.host = host;
    this.cluster = cluster;
    this.commits = commits;
    this.rotator = rotator;
  }

  @Override
  public void get(GetRequest request, StreamObserver<Object> observer) {
    answer(
        observer,
        () -> {
          ClusterState state = host.view().fresh(Commits.LIMIT);
          return ControlObjects.resolve(state, request.getKind(), request.getReference()).then(id -> object(state, request.getKind(), id));
        });
  }

  @Override
  public void list(ListRequest request, StreamObserver<ListReply> observer) {
    Map<String, Set<String>> filters = new HashMap<>();
    request.getFiltersMap().forEach((key, values) -> filters.put(key, new LinkedHashSet<>(values.getValuesList())));
    answer(
        observer,
        () -> {
          ClusterState state = host.view().fresh(Commits.LIMIT);
          return ControlObjects.list(state, request.getKind(), filters)
              .map(all -> ListReply.newBuilder().addAllObjects(all).setRevision(state.revision()).build());
        });
  }

  @Override
  public void create(CreateRequest request, StreamObserver<Object> observer) {
    String id = host.ids().next();
    answer(
        observer,
        () ->
            switch (request.getSpecCase()) {
              case SERVICE ->
                  commits
                      .write((state, tick) -> ServiceWrites.create(state, id, request.getService(), Optional.empty(), tick))
                      .then(made -> object(Kind.SERVICE, made));
              case NETWORK -> createNetwork(id, request.getNetwork());
              case SPEC_NOT_SET -> Answer.refused(ControlObjects.noKind());
            });
  }

  private Answer<Object> createNetwork(String id, NetworkCreateRequest request) {
    if (!request.getDriver().isEmpty() && !NetworkWrites.ours(request)) {
      return Answer.refused(ApiError.badRequest("only overlay networks belong to the cluster: ask the engine for others"));
    }
    return commits.write((state, tick) -> NetworkWrites.create(state, id, request, tick)).then(made -> object(Kind.NETWORK, made));
  }

  @Override
  public void update(UpdateRequest request, StreamObserver<Object> observer) {
    long version = request.getVersion();
    answer(
        observer,
        () ->
            switch (request.getSpecCase()) {
              case SERVICE ->
                  commits
                      .write(
                          (state, tick) ->
                              ControlObjects.resolve(state, Kind.SERVICE, request.getReference())
                                  .then(id -> ServiceWrites.update(state, id, version, request.getService(), Optional.empty(), tick)))
                      .then(id -> object(Kind.SERVICE, id));
              case NODE ->
                  commits
                      .write(
                          (state, tick) ->
                              ControlObjects.resolve(state, Kind.NODE, request.getReference())
                                  .then(id -> NodeWrites.update(state, id, version, request.getNode(), host.storeAccess().shared(), tick)))
                      .then(id -> object(Kind.NODE, id));
              case CLUSTER ->
                  commits
                      .write((state, tick) -> ClusterWrites.update(
                          state, version, request.getCluster(), Map.of(), rotator.next(state, request.getCluster()), tick))
                      .then(_ -> object(Kind.CLUSTER, "default"));
              case SPEC_NOT_SET -> Answer.refused(ControlObjects.noKind());
            });
  }

  @Override
  public void remove(RemoveRequest request, StreamObserver<RemoveReply> observer) {
    answer(
        observer,
        () ->
            commits
                .<String>write(
                    (state, _) ->
                        ControlObjects.resolve(state, request.getKind(), request.getReference())
                            .then(
                                id ->
                                    switch (request.getKind()) {
                                      case SERVICE -> ServiceWrites.remove(state, id, SealedRows.registryAuth(id));
                                      case NETWORK -> NetworkWrites.remove(state, id);
                                      case NODE -> NodeWrites.remove(state, id, request.getForce());
                                      case TASK, CLUSTER, KIND_UNSPECIFIED, UNRECOGNIZED ->
                                          Answer.refused(NotBuilt.command("removing this kind of object",
                                              "remove the service, or leave the swarm"));
                                    }))
                .map(_ -> RemoveReply.getDefaultInstance()));
  }

  @Override
  public void watch(WatchRequest request, StreamObserver<WatchEvent> observer) {
    try {
      new WatchStream(host, request, (ServerCallStreamObserver<WatchEvent>) observer).open();
    } catch (StoreException e) {
      observer.onError(Status.UNAVAILABLE.withDescription(e.told()).asRuntimeException());
    }
  }

  @Override
  public void getRestore(GetRestoreRequest request, StreamObserver<Restore> observer) {
    answer(observer, () -> Restores.pending(host.view().fresh(Commits.LIMIT)));
  }

  @Override
  public void confirmRestore(ConfirmRestoreRequest request, StreamObserver<Restore> observer) {
    answer(observer, () -> commits.write(Restores::confirm));
  }

  private Answer<Object> object(Kind kind, String id) {
    return object(host.view().state(), kind, id);
  }

  private static Answer<Object> object(ClusterState state, Kind kind, String id) {
    return ControlObjects.byId(state, kind, id)
        .<Answer<Object>>map(Answer::ok)
        .orElseGet(() -> Answer.refused(ApiError.plain(ApiError.Code.NOT_FOUND, id + " was removed meanwhile")));
  }

  private <T> void answer(StreamObserver<T> observer, Supplier<Answer<T>> work) {
    Answer<T> answer;
    try {
      answer =
          switch (cluster.standing(host.view().fresh(Commits.LIMIT))) {
            case Standing.Outside _ -> Answer.refused(ApiError.notInSwarm());
            case Standing.Worker _ -> Answer.refused(ApiError.onWorker());
            case Standing.Managing _ -> work.get();
          };
    } catch (StoreException e) {
      observer.onError(Status.UNAVAILABLE.withDescription(e.told()).asRuntimeException());
      return;
    } catch (RuntimeException | StackOverflowError e) {
      LOG.error("a call of Control failed", e);
      observer.onError(Status.INTERNAL.withDescription(e.toString()).asRuntimeException());
      return;
    }
    switch (answer) {
      case Answer.Ok<T>(T value) -> {
        observer.onNext(value);
        observer.onCompleted();
      }
      case Answer.Refused<T>(ApiError error) ->
          observer.onError(Status.fromCodeValue(error.grpcCode().number()).withDescription(error.message()).asRuntimeException());
    }
  }
}
