package dev.skep.dns.shell;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/** Another resolver, on UDP and TCP of one loopback address. A null answer is silence. */
final class Upstream implements AutoCloseable {
  final AtomicInteger udpAsked = new AtomicInteger();
  final AtomicInteger tcpAsked = new AtomicInteger();
  private final DatagramSocket udp;
  private final ServerSocket tcp;

  Upstream(UnaryOperator<byte[]> overUdp, UnaryOperator<byte[]> overTcp) throws IOException {
    InetAddress address = InetAddress.getByName("127.0.0.1");
    tcp = new ServerSocket(0, 50, address);
    udp = new DatagramSocket(tcp.getLocalPort(), address);
    Thread.ofVirtual().start(() -> serveUdp(overUdp));
    Thread.ofVirtual().start(() -> serveTcp(overTcp));
  }

  String address() {
    return "127.0.0.1:" + tcp.getLocalPort();
  }

  /** The question turned into an answer with one A record. */
  static byte[] answer(byte[] question, int... address) {
    int end = 12;
    while (question[end] != 0) {
      end += 1 + question[end];
    }
    end += 5; // the rest is EDNS, which this resolver does not speak
    byte[] reply = Arrays.copyOf(Arrays.copyOf(question, end), end + 16);
    reply[2] = (byte) 0x81;
    reply[3] = (byte) 0x80;
    reply[7] = 1;
    reply[11] = 0;
    byte[] record = {(byte) 0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, (byte) address[0], (byte) address[1], (byte) address[2], (byte) address[3]};
    System.arraycopy(record, 0, reply, end, 16);
    return reply;
  }

  static byte[] code(byte[] question, int code) {
    byte[] reply = question.clone();
    reply[2] = (byte) 0x81;
    reply[3] = (byte) (0x80 | code);
    return reply;
  }

  private void serveUdp(UnaryOperator<byte[]> answer) {
    while (true) {
      try {
        DatagramPacket packet = new DatagramPacket(new byte[4096], 4096);
        udp.receive(packet);
        udpAsked.incrementAndGet();
        byte[] reply = answer.apply(Arrays.copyOf(packet.getData(), packet.getLength()));
        if (reply != null) {
          udp.send(new DatagramPacket(reply, reply.length, packet.getSocketAddress()));
        }
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void serveTcp(UnaryOperator<byte[]> answer) {
    while (true) {
      try (Socket socket = tcp.accept()) {
        tcpAsked.incrementAndGet();
        DataInputStream in = new DataInputStream(socket.getInputStream());
        byte[] question = new byte[in.readUnsignedShort()];
        in.readFully(question);
        byte[] reply = answer.apply(question);
        if (reply != null) {
          DataOutputStream out = new DataOutputStream(socket.getOutputStream());
          out.writeShort(reply.length);
          out.write(reply);
          out.flush();
        }
      } catch (IOException closed) {
        if (tcp.isClosed()) {
          return;
        }
      }
    }
  }

  @Override
  public void close() throws IOException {
    udp.close();
    tcp.close();
  }
}
