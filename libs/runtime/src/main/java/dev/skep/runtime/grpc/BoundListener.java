package dev.skep.runtime.grpc;

import io.netty.channel.Channel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/** Serves a port that was taken before, counts who is connected, and turns away whoever comes when there are too many. */
final class BoundListener extends NioServerSocketChannel {
  /** The open connections of a door by the address of the other end. */
  static final class Connections {
    private final Map<SocketAddress, Channel> open = new ConcurrentHashMap<>();
    private final Map<SocketAddress, String> nodes = new ConcurrentHashMap<>(); // which node is at the other end, where it is known
    private final Map<InetAddress, Integer> byHost = new ConcurrentHashMap<>();
    private final int most;
    private final int mostOfOneHost;

    Connections(int most, int mostOfOneHost) {
      this.most = most;
      this.mostOfOneHost = mostOfOneHost;
    }

    private boolean add(Channel connection) {
      if (!(connection.remoteAddress() instanceof InetSocketAddress peer)) {
        return false; // gone again
      }
      if (open.size() >= most || byHost.merge(peer.getAddress(), 1, Integer::sum) > mostOfOneHost) {
        byHost.computeIfPresent(peer.getAddress(), (_, count) -> count == 1 ? null : count - 1);
        return false;
      }
      open.put(peer, connection);
      connection.closeFuture().addListener(_ -> {
        open.remove(peer, connection);
        nodes.remove(peer);
        byHost.computeIfPresent(peer.getAddress(), (_, count) -> count == 1 ? null : count - 1);
      });
      return true;
    }

    void is(SocketAddress peer, String nodeId) {
      if (!nodeId.equals(nodes.get(peer)) && open.containsKey(peer)) {
        nodes.put(peer, nodeId);
      }
    }

    /** Ends the connections of these nodes, whatever they carry. */
    void end(Predicate<String> unwanted) {
      nodes.forEach((peer, nodeId) -> {
        Channel connection = open.get(peer);
        if (connection == null) {
          nodes.remove(peer);
        } else if (unwanted.test(nodeId)) {
          connection.close();
        }
      });
    }
  }

  private final Connections connections;

  BoundListener(ServerSocketChannel bound, Connections connections) {
    super(bound);
    this.connections = connections;
  }

  @Override
  protected void doBind(SocketAddress address) {} // it is bound

  @Override
  protected int doReadMessages(List<Object> accepted) throws Exception {
    int count = super.doReadMessages(accepted);
    for (int i = accepted.size() - count; i < accepted.size(); i++) {
      Channel connection = (Channel) accepted.get(i);
      if (!connections.add(connection)) {
        connection.unsafe().closeForcibly();
        accepted.remove(i--);
      }
    }
    return count;
  }
}
