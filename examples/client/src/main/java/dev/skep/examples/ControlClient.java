package dev.skep.examples;

import dev.skep.api.v1.ContainerSpec;
import dev.skep.api.v1.ReplicatedService;
import dev.skep.api.v1.Service;
import dev.skep.api.v1.ServiceMode;
import dev.skep.api.v1.ServiceSpec;
import dev.skep.api.v1.TaskSpec;
import dev.skep.control.v1.ControlGrpc;
import dev.skep.control.v1.ControlGrpc.ControlBlockingStub;
import dev.skep.control.v1.CreateRequest;
import dev.skep.control.v1.GetRequest;
import dev.skep.control.v1.Kind;
import dev.skep.control.v1.ListReply;
import dev.skep.control.v1.ListRequest;
import dev.skep.control.v1.RemoveRequest;
import dev.skep.control.v1.UpdateRequest;
import dev.skep.control.v1.WatchEvent;
import dev.skep.control.v1.WatchRequest;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.PrintStream;
import java.util.Iterator;
import java.util.List;

/** Lists, creates, scales, removes and watches services: {@code ControlClient SOCKET list|create|scale|rm|watch …}. */
public final class ControlClient {
  private static final String USAGE =
      "usage: ControlClient SOCKET list | create NAME IMAGE REPLICAS | scale NAME REPLICAS | rm NAME | watch COUNT";
  private final ControlBlockingStub control;
  private final PrintStream out;

  private ControlClient(ControlBlockingStub control, PrintStream out) {
    this.control = control;
    this.out = out;
  }

  /** Runs one command and ends with 0, with 1 when Skep refused it, with 2 when the command is not understood. */
  public static void main(String[] args) throws InterruptedException {
    if (args.length < 2) {
      System.err.println(USAGE);
      System.exit(2);
    }
    EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    ManagedChannel channel = NettyChannelBuilder.forAddress(new DomainSocketAddress(args[0])).eventLoopGroup(loop).channelType(EpollDomainSocketChannel.class)
        .withOption(ChannelOption.SO_KEEPALIVE, null) // set for every channel, and unix sockets have none
        .usePlaintext().build();
    int exit = 0;
    try {
      new ControlClient(ControlGrpc.newBlockingStub(channel), System.out).run(List.of(args).subList(1, args.length));
    } catch (StatusRuntimeException e) {
      // The text is Docker's own; the code says what kind of refusal it is.
      System.err.println(e.getStatus().getCode() + ": " + e.getStatus().getDescription());
      exit = 1;
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      System.err.println(e.getMessage() + "\n" + USAGE);
      exit = 2;
    } finally {
      channel.shutdownNow();
      loop.shutdownGracefully(0, 1, java.util.concurrent.TimeUnit.SECONDS).sync();
    }
    System.exit(exit);
  }

  private void run(List<String> words) {
    switch (words.getFirst()) {
      case "list" -> list();
      case "create" -> create(words.get(1), words.get(2), Long.parseLong(words.get(3)));
      case "scale" -> scale(words.get(1), Long.parseLong(words.get(2)));
      case "rm" -> control.remove(RemoveRequest.newBuilder().setKind(Kind.SERVICE).setReference(words.get(1)).build());
      case "watch" -> watch(Integer.parseInt(words.get(1)));
      default -> throw new IllegalArgumentException("no such command: " + words.getFirst());
    }
  }

  private void list() {
    ListReply reply = control.list(ListRequest.newBuilder().setKind(Kind.SERVICE).build());
    reply.getObjectsList().forEach(object -> {
      Service service = object.getService();
      out.println(service.getId() + " " + service.getSpec().getName() + " " + service.getServiceStatus().getRunningTasks() + "/" + service.getServiceStatus().getDesiredTasks());
    });
  }

  private void create(String name, String image, long replicas) {
    ServiceSpec spec = ServiceSpec.newBuilder().setName(name)
        .setTaskTemplate(TaskSpec.newBuilder().setContainerSpec(ContainerSpec.newBuilder().setImage(image)))
        .setMode(replicas(replicas)).build();
    out.println(control.create(CreateRequest.newBuilder().setService(spec).build()).getService().getId());
  }

  private void scale(String name, long replicas) {
    Service now = control.get(GetRequest.newBuilder().setKind(Kind.SERVICE).setReference(name).build()).getService();
    // The version that was read goes back with the change: a change by somebody else in between is refused, not lost.
    control.update(UpdateRequest.newBuilder().setKind(Kind.SERVICE).setReference(now.getId()).setVersion(now.getVersion().getIndex())
        .setService(now.getSpec().toBuilder().setMode(replicas(replicas))).build());
  }

  private static ServiceMode replicas(long count) {
    return ServiceMode.newBuilder().setReplicated(ReplicatedService.newBuilder().setReplicas(count)).build();
  }

  /** Prints this many changes, beginning with the state of now: list first, then watch from the list's revision. */
  private void watch(int count) {
    long revision = control.list(ListRequest.newBuilder().setKind(Kind.TASK).build()).getRevision();
    Iterator<WatchEvent> events = control.watch(WatchRequest.newBuilder().setFromRevision(revision).build());
    for (int seen = 0; seen < count && events.hasNext(); seen++) {
      WatchEvent event = events.next();
      out.println(event.getRevision() + " " + event.getAction() + " " + event.getKind() + " " + event.getId());
    }
  }
}
