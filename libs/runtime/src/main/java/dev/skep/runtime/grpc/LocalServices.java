package dev.skep.runtime.grpc;

import io.grpc.BindableService;
import io.grpc.Channel;
import io.grpc.HandlerRegistry;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptors;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * The services that components of one host offer each other, by component name. Nothing is built before it is asked
 * for; a call to a component that does not serve yet fails with UNAVAILABLE.
 */
public final class LocalServices implements AutoCloseable {
  private static final MethodDescriptor.Marshaller<InputStream> RAW = new MethodDescriptor.Marshaller<>() {
    @Override
    public InputStream stream(InputStream value) {
      return value;
    }

    @Override
    public InputStream parse(InputStream stream) {
      try {
        return new ByteArrayInputStream(stream.readAllBytes());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  };

  private final String prefix = "skep-" + UUID.randomUUID() + "/";
  private final Executor executor;
  private final Map<String, Local> locals = new ConcurrentHashMap<>();
  private final Map<String, ServerMethodDefinition<?, ?>> offered = new ConcurrentHashMap<>(); // without any check of callers

  /** @param executor runs handlers and callbacks; handlers may block on it */
  public LocalServices(Executor executor) {
    this.executor = executor;
  }

  public void serve(String component, BindableService service) {
    service.bindService().getMethods().forEach(method -> offered.put(method.getMethodDescriptor().getFullMethodName(), method));
    ServerInterceptors.intercept(service, Callers.inProcess()).getMethods().forEach(method ->
        local(component).methods.put(method.getMethodDescriptor().getFullMethodName(), method));
  }

  /** Is anything offered here? */
  public boolean serving() {
    return !offered.isEmpty();
  }

  /** Everything that is served, for a server that checks its callers itself. */
  HandlerRegistry offered() {
    return new HandlerRegistry() {
      @Override
      public ServerMethodDefinition<?, ?> lookupMethod(String rpc, String authority) {
        return offered.get(rpc);
      }
    };
  }

  /** Whether the component has offered anything yet. */
  public boolean serves(String component) {
    Local local = locals.get(component);
    return local != null && !local.methods.isEmpty();
  }

  public Channel channel(String component) {
    return local(component).channel;
  }

  private Local local(String component) {
    return locals.computeIfAbsent(component, this::start);
  }

  private Local start(String component) {
    String address = prefix + component;
    Map<String, ServerMethodDefinition<?, ?>> methods = new ConcurrentHashMap<>();
    HandlerRegistry registry = new HandlerRegistry() {
      @Override
      public ServerMethodDefinition<?, ?> lookupMethod(String rpc, String authority) {
        ServerMethodDefinition<?, ?> method = methods.get(rpc);
        return method != null || !methods.isEmpty() ? method : unavailable(component, rpc);
      }
    };
    try {
      Server server = InProcessServerBuilder.forName(address).fallbackHandlerRegistry(registry).executor(executor).build().start();
      ManagedChannel channel = InProcessChannelBuilder.forName(address).executor(executor).build();
      return new Local(server, channel, methods);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ServerMethodDefinition<?, ?> unavailable(String component, String rpc) {
    MethodDescriptor<InputStream, InputStream> method = MethodDescriptor.<InputStream, InputStream>newBuilder()
        .setFullMethodName(rpc).setType(MethodDescriptor.MethodType.UNKNOWN).setRequestMarshaller(RAW).setResponseMarshaller(RAW).build();
    return ServerMethodDefinition.create(method, new ServerCallHandler<InputStream, InputStream>() {
      @Override
      public ServerCall.Listener<InputStream> startCall(ServerCall<InputStream, InputStream> call, Metadata headers) {
        call.close(Status.UNAVAILABLE.withDescription(component + " does not serve in this process"), new Metadata());
        return new ServerCall.Listener<>() {};
      }
    });
  }

  private record Local(Server server, ManagedChannel channel, Map<String, ServerMethodDefinition<?, ?>> methods) {}

  /** Calls under way are cancelled. */
  @Override
  public void close() {
    locals.values().forEach(local -> local.channel.shutdownNow());
    locals.values().forEach(local -> local.server.shutdownNow());
    try {
      for (Local local : locals.values()) {
        local.server.awaitTermination(2, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
