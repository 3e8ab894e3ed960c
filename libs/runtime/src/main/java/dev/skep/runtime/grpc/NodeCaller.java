package dev.skep.runtime.grpc;

import dev.skep.runtime.identity.Caller;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.stub.MetadataUtils;

/**
 * Which node calls. A certificate says it; a caller in the same process is trusted and says it in a header, which is
 * ignored from anybody else.
 */
public final class NodeCaller {
  private static final Metadata.Key<String> HEADER = Metadata.Key.of("skep-node-id", Metadata.ASCII_STRING_MARSHALLER);
  private static final Context.Key<String> NODE = Context.key("skep-node");

  private NodeCaller() {}

  /** The agent's side: calls on the channel carry the node's id. */
  public static Channel channel(Channel channel, String nodeId) {
    Metadata headers = new Metadata();
    headers.put(HEADER, nodeId);
    return ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  /** The server's side: {@link #current} answers in the handlers behind it; callers that are no node are refused. */
  public static ServerInterceptor interceptor() {
    return new Gate(true);
  }

  /** As {@link #interceptor}, but who is no node may pass: then {@link #current} is null. */
  public static ServerInterceptor optional() {
    return new Gate(false);
  }

  /** The id of the node that made the call which the current thread serves. */
  public static String current() {
    return NODE.get();
  }

  private record Gate(boolean nodesOnly) implements ServerInterceptor {
    @Override
    public <A, B> ServerCall.Listener<A> interceptCall(ServerCall<A, B> call, Metadata headers, ServerCallHandler<A, B> next) {
      String nodeId = Callers.current().map(caller -> nodeId(caller, headers)).orElse("");
      if (nodeId.isEmpty() && !nodesOnly) {
        return next.startCall(call, headers);
      }
      if (nodeId.isEmpty() || nodeId.indexOf('/') >= 0) {
        call.close(Status.UNAUTHENTICATED.withDescription("the caller is no node"), new Metadata());
        return new ServerCall.Listener<>() {};
      }
      return Contexts.interceptCall(Context.current().withValue(NODE, nodeId), call, headers, next);
    }

    private static String nodeId(Caller caller, Metadata headers) {
      return switch (caller) {
        case Caller.InProcess _ -> headers.containsKey(HEADER) ? headers.get(HEADER) : "";
        case Caller.Node node -> node.nodeId();
        case Caller.ApiClient _, Caller.Stranger _ -> "";
      };
    }
  }
}
