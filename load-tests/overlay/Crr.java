import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** Connections a second: connect, one byte, close. {@code serve PORT} and {@code ask ADDRESS PORT SECONDS}. */
final class Crr {
  public static void main(String[] args) throws IOException {
    if (args[0].equals("serve")) {
      serve(Integer.parseInt(args[1]));
    } else {
      System.out.printf("%.0f%n", ask(new InetSocketAddress(args[1], Integer.parseInt(args[2])), Integer.parseInt(args[3])));
    }
  }

  private static void serve(int port) throws IOException {
    try (ServerSocket server = new ServerSocket(port, 1024)) {
      while (true) {
        try (Socket client = server.accept()) {
          client.getOutputStream().write('x');
          client.getInputStream().read(); // until the asker has gone
        } catch (IOException gone) {
          // it ends with a reset, so that no port waits for its time-out
        }
      }
    }
  }

  /** The first second warms up and does not count. */
  private static double ask(InetSocketAddress server, int seconds) throws IOException {
    long begin = System.nanoTime();
    long warm = begin + 1_000_000_000L;
    long end = warm + seconds * 1_000_000_000L;
    long counted = 0;
    for (long now = begin; now < end; now = System.nanoTime()) {
      try (Socket socket = new Socket()) {
        socket.setSoLinger(true, 0);
        socket.connect(server, 3000);
        if (socket.getInputStream().read() != 'x') {
          throw new IOException("no answer");
        }
      }
      counted += now >= warm ? 1 : 0;
    }
    return counted / (double) seconds;
  }
}
