package dev.skep.dispatcher.shell;

import dev.skep.dispatcher.v1.DispatcherNews;
import dev.skep.dispatcher.v1.DispatchersGrpc;
import dev.skep.dispatcher.v1.FollowRequest;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/** The calls of other dispatchers. */
final class DispatchersRpc extends DispatchersGrpc.DispatchersImplBase {
  private final Desk desk;
  private final Sessions sessions;

  DispatchersRpc(Desk desk, Sessions sessions) {
    this.desk = desk;
    this.sessions = sessions;
  }

  @Override
  public void follow(FollowRequest request, StreamObserver<DispatcherNews> responses) {
    ServerCallStreamObserver<DispatcherNews> follower = (ServerCallStreamObserver<DispatcherNews>) responses;
    follower.setOnCancelHandler(() -> {}); // set, so that a stream that is gone does not throw where it is written to
    desk.run(() -> sessions.peers().followed(new Outlet<>(follower)));
  }
}
