import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.TreeSet;

/**
 * Asks a published port of this host every 10 ms over a new connection, and prints the moment and who answered the last few
 * times whenever that changes.
 */
final class DoorWatch {
  private static final int REMEMBERED = 6; // of two tasks in turn both are among the last six, also when one fails

  public static void main(String[] arguments) throws Exception {
    NameWatch.endWithInput();
    InetSocketAddress door = new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0]));
    byte[] request = "GET /name HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    Deque<String> last = new ArrayDeque<>();
    Set<String> before = null;
    while (true) {
      Instant asked = Instant.now();
      last.addLast(ask(door, request));
      if (last.size() > REMEMBERED) {
        last.removeFirst();
      }
      Set<String> names = new TreeSet<>(last);
      names.remove("");
      if (!names.equals(before)) {
        java.lang.System.out.println(asked + (names.isEmpty() ? "" : " ") + String.join(" ", names));
        before = names;
      }
      Thread.sleep(10);
    }
  }

  /** @return the name, or "" when nobody answered */
  private static String ask(InetSocketAddress door, byte[] request) {
    try (Socket socket = new Socket()) {
      socket.setSoTimeout(500);
      socket.connect(door, 500);
      socket.getOutputStream().write(request);
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      int body = answer.indexOf("\r\n\r\n");
      return answer.startsWith("HTTP/1.") && answer.contains(" 200 ") && body > 0 ? answer.substring(body).strip() : "";
    } catch (IOException e) {
      return "";
    }
  }
}
