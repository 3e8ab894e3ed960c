package dev.skep.runtime.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.socket.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UdpPortTest {
  private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());

  @AfterEach
  void end() {
    group.shutdownGracefully(0, 1, java.util.concurrent.TimeUnit.SECONDS).syncUninterruptibly();
  }

  @Test
  void answersLeaveFromTheAddressThatWasAsked() throws Exception {
    for (UdpPort.Reads reads : new UdpPort.Reads[] {new UdpPort.Reads(2048, 16), new UdpPort.Reads(65_536, 1)}) {
      UdpPort port =
          UdpPort.open(
                  group.next(), 0, reads, PooledByteBufAllocator.DEFAULT,
                  (packet, from) -> from.write(new DatagramPacket(packet.content(), packet.sender())))
              .sync()
              .getNow();
      assertThat(answer(port, "::1")).isEqualTo("::1");
      try (DatagramSocket client = new DatagramSocket(0, InetAddress.getByName("0.0.0.0"))) {
        client.setSoTimeout(20_000);
        for (int round = 0; round < 3; round++) {
          for (String address : new String[] {"127.0.0.1", "127.0.0.2", "127.9.9.9"}) {
            InetSocketAddress asked = new InetSocketAddress(address, port.port());
            byte[] text = (address + "#" + round).getBytes();
            client.send(new java.net.DatagramPacket(text, text.length, asked));
            java.net.DatagramPacket answer = new java.net.DatagramPacket(new byte[100], 100);
            client.receive(answer);
            assertThat(answer.getSocketAddress()).isEqualTo(asked);
            assertThat(new String(answer.getData(), 0, answer.getLength())).isEqualTo(address + "#" + round);
          }
        }
      }
      port.close().sync();
    }
  }

  private static String answer(UdpPort port, String address) throws Exception {
    try (DatagramSocket client = new DatagramSocket(0, InetAddress.getByName("::"))) {
      client.setSoTimeout(20_000);
      client.connect(new InetSocketAddress(address, port.port())); // takes answers from there alone
      client.send(new java.net.DatagramPacket(address.getBytes(), address.length()));
      java.net.DatagramPacket answer = new java.net.DatagramPacket(new byte[100], 100);
      client.receive(answer);
      return new String(answer.getData(), 0, answer.getLength());
    }
  }

  @Test
  void aPortIsSharedWithThePredecessorOnly(@TempDir Path folder) throws Exception {
    assertThat(io.netty.channel.epoll.Epoll.isAvailable()).isTrue();
    Path other = Files.createDirectory(folder.resolve("other"));
    Handover stranger = Handover.take(other);
    Handover first = Handover.take(folder);
    Handover successor = Handover.take(folder); // the predecessor it sees is this very process
    try (ServerSocket held = new ServerSocket(0)) {
      successor.check("tcp", held.getLocalPort());
      assertThatThrownBy(() -> first.check("tcp", held.getLocalPort())).isInstanceOf(java.io.IOException.class);
      assertThatThrownBy(() -> stranger.check("tcp", held.getLocalPort())).isInstanceOf(java.io.IOException.class);
    }
    try (DatagramSocket held = new DatagramSocket(0)) {
      successor.check("udp", held.getLocalPort());
      assertThatThrownBy(() -> stranger.check("udp", held.getLocalPort())).isInstanceOf(java.io.IOException.class);
    }
  }
}
