package dev.skep.dns.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.dns.DnsConfig;
import dev.skep.dns.FeedOf;
import dev.skep.dns.core.Answers;
import dev.skep.dns.core.Messages;
import dev.skep.dns.core.Zone;
import dev.skep.runtime.net.Handover;
import io.prometheus.client.CollectorRegistry;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DnsServerTest {
  private static final String ASKER = "127.0.1.11";
  private static final String OWN_SERVERS = "127.0.1.12";

  @TempDir Path folder;
  private final List<AutoCloseable> open = new ArrayList<>();
  private DnsServer server;
  private int port;

  @BeforeEach
  void start() throws Exception {
    server = server(DnsConfig.defaults().withPatience(Duration.ofMillis(500), Duration.ofSeconds(3)));
    port = new KeptPort(folder.resolve("port")).listen(server, Handover.take(folder));
  }

  @AfterEach
  void end() throws Exception {
    for (AutoCloseable one : open.reversed()) {
      one.close();
    }
  }

  private DnsServer server(DnsConfig config) {
    DnsServer made = new DnsServer(config, new CollectorRegistry());
    made.zone(Zone.of(feed(List.of()).state()));
    open.add(made::close);
    return made;
  }

  /** Containers of a network on loopback: two of service web, and 300 of service many. */
  private static FeedOf feed(List<String> ownServers) {
    FeedOf feed =
        new FeedOf()
            .with(FeedOf.network("net", "127.0.0.0/16", false, false))
            .with(FeedOf.service("web", "vip", FeedOf.on("net", "127.0.1.2")))
            .with(FeedOf.service("many", "dnsrr", FeedOf.on("net", "")))
            .with(FeedOf.task("web", 1, true, List.of(), "net", ASKER))
            .with(FeedOf.task("web", 2, true, ownServers, "net", OWN_SERVERS));
    for (int n = 1; n <= 300; n++) {
      feed.with(FeedOf.task("many", n, true, List.of(), "net", "127.0." + (2 + n / 200) + "." + (1 + n % 200)));
    }
    return feed;
  }

  @Test
  void digOverUdpAndTcp() throws Exception {
    assertThat(dig("web")).contains("status: NOERROR", "web.\t\t\t1\tIN\tA\t127.0.1.2", "flags: qr aa rd ra;");
    assertThat(dig("+tcp", "web")).contains("IN\tA\t127.0.1.2");
    assertThat(dig("web", "AAAA")).contains("status: NOERROR", "ANSWER: 0");
    assertThat(dig("-x", "127.0.1.2")).contains("PTR\tweb.net.");
    assertThat(dig("+noedns", "web")).contains("IN\tA\t127.0.1.2").doesNotContain("WARNING", "EDNS");
    assertThat(dig("+bufsize=4096", "+ignore", "many")).contains("flags: qr aa tc", "ANSWER: 253");
    assertThat(dig("many")).contains("Truncated, retrying in TCP mode", "ANSWER: 300");
    assertThat(dig("+edns=1", "+noednsneg", "web")).contains("status: BADVERS");
    assertThat(dig("+opcode=UPDATE", "web")).contains("status: NOTIMP");
    assertThat(dig("+norecurse", "example.com")).contains("status: REFUSED");
    assertThat(digFrom("127.0.9.9", "web")).contains("status: REFUSED");
    assertThat(digFrom("127.0.9.9", "example.com")).contains("status: REFUSED");
  }

  @Test
  void theAnswerComesFromTheAddressThatWasAsked() throws Exception {
    for (String gateway : List.of("127.0.0.1", "127.0.7.1", "127.0.8.1", "127.0.7.1")) {
      byte[] answer = ask(gateway, Messages.question(3, "web", 1));
      assertThat(Messages.read(answer, answer.length).data()).containsExactly("127.0.1.2");
    }
  }

  @Test
  void othersAreAskedForWhatIsNotOurs() throws Exception {
    Upstream node = upstream(question -> Upstream.answer(question, 192, 0, 2, 1), question -> null);
    Upstream own = upstream(question -> Upstream.answer(question, 192, 0, 2, 2), question -> null);
    server.upstreams(Resolvers.parse(List.of(node.address())));
    server.zone(Zone.of(feed(List.of(own.address())).state()));
    assertThat(dig("example.com")).contains("status: NOERROR", "192.0.2.1", "flags: qr rd ra;");
    assertThat(digFrom(OWN_SERVERS, "example.com")).contains("192.0.2.2");
    assertThat(dig("web.example.com")).contains("192.0.2.1");
    assertThat(dig("+tcp", "ExAmple.com")).contains("192.0.2.1", "ExAmple.com");
    assertThat(own.udpAsked.get()).isEqualTo(1);
  }

  @Test
  @Tag("slow")
  void aResolverThatFailsIsPassedOver() throws Exception {
    Upstream silent = upstream(question -> null, question -> null);
    Upstream failing = upstream(question -> Upstream.code(question, Answers.SERVFAIL), question -> null);
    Upstream lying = upstream(question -> answerWithWrongId(question), question -> null);
    Upstream good = upstream(question -> Upstream.answer(question, 192, 0, 2, 9), question -> null);
    server.upstreams(Resolvers.parse(List.of("127.0.0.1:1", failing.address(), lying.address(), silent.address(), good.address())));
    assertThat(dig("example.com")).contains("192.0.2.9");
    server.upstreams(Resolvers.parse(List.of(failing.address())));
    assertThat(dig("example.com")).contains("status: SERVFAIL");
    server.upstreams(Resolvers.parse(List.of("127.0.0.1:1")));
    assertThat(dig("example.com")).contains("status: SERVFAIL");
    server.upstreams(List.of());
    assertThat(dig("example.com")).contains("status: SERVFAIL");
    server.upstreams(Resolvers.parse(List.of(silent.address())));
    assertThat(dig("example.com")).contains("status: SERVFAIL");
    assertThat(dig("web")).contains("127.0.1.2");
    server.upstreams(Resolvers.parse(List.of(silent.address(), good.address())));
    boolean rests = false;
    for (int tries = 0; tries < 5 && !rests; tries++) { // on a busy machine the good one may be late, and then everybody is asked
      int before = silent.udpAsked.get();
      assertThat(dig("example.com")).contains("192.0.2.9");
      rests = silent.udpAsked.get() == before;
    }
    assertThat(rests).as("it rests").isTrue();
  }

  @Test
  void noSuchNameIsAnAnswer() throws Exception {
    Upstream first = upstream(question -> Upstream.code(question, Answers.NXDOMAIN), question -> null);
    Upstream second = upstream(question -> Upstream.answer(question, 192, 0, 2, 9), question -> null);
    server.upstreams(Resolvers.parse(List.of(first.address(), second.address())));
    assertThat(dig("no.such.example")).contains("status: NXDOMAIN");
    assertThat(second.udpAsked.get()).isZero();
  }

  @Test
  void whatIsTooLongForUdpComesOverTcp() throws Exception {
    Upstream upstream =
        upstream(
            question -> {
              byte[] cut = Upstream.code(question, Answers.NOERROR);
              cut[2] |= 2;
              return cut;
            },
            question -> Upstream.answer(question, 192, 0, 2, 7));
    server.upstreams(Resolvers.parse(List.of(upstream.address())));
    assertThat(dig("example.com")).contains("Truncated, retrying in TCP mode", "192.0.2.7");
    assertThat(upstream.tcpAsked.get()).isEqualTo(1);
    assertThat(dig("+ignore", "example.com")).contains("flags: qr tc");
    assertThat(upstream.tcpAsked.get()).isEqualTo(1);
  }

  @Test
  void questionsThatWaitAreBoundedAndLocalNamesDoNotSuffer() throws Exception {
    DnsServer small = server(DnsConfig.defaults().withMaxForwarded(10).withPatience(Duration.ofMillis(150), Duration.ofSeconds(2)));
    int other = new KeptPort(folder.resolve("port2")).listen(small, Handover.take(folder));
    Upstream silent = upstream(question -> null, question -> null);
    small.upstreams(Resolvers.parse(List.of(silent.address())));
    try (DatagramSocket client = new DatagramSocket(0, InetAddress.getByName(ASKER))) {
      client.setSoTimeout(10_000);
      for (int n = 0; n < 50; n++) {
        send(client, "127.0.0.1", other, Messages.question(n, "n" + n + ".example", 1));
      }
      send(client, "127.0.0.1", other, Messages.question(1000, "web", 1));
      int failed = 0;
      for (Messages.Reply reply = receive(client); reply.id() != 1000; reply = receive(client)) {
        assertThat(reply.code()).isEqualTo(Answers.SERVFAIL);
        failed++;
      }
      assertThat(failed).isEqualTo(40);
      for (int n = 0; n < 10; n++) {
        assertThat(receive(client).code()).isEqualTo(Answers.SERVFAIL);
      }
    }
  }

  @Test
  void rubbishChangesNothing() throws Exception {
    for (long seed = 0; seed < 20; seed++) {
      Random random = new Random(seed);
      try (DatagramSocket client = new DatagramSocket(0, InetAddress.getByName(ASKER))) {
        client.setSoTimeout(10_000);
        for (int n = 0; n < 200; n++) {
          byte[] rubbish = Messages.question(n, "web", 1, 1232);
          if (random.nextBoolean()) {
            rubbish = new byte[random.nextInt(3_000)];
            random.nextBytes(rubbish);
          } else {
            rubbish[random.nextInt(rubbish.length)] ^= (byte) (1 + random.nextInt(255));
          }
          send(client, "127.0.0.1", port, rubbish);
        }
        send(client, "127.0.0.1", port, Messages.question(0xBEEF, "tasks.web", 1));
        byte[] answer = receiveBytes(client);
        while (answer.length < 12 || (answer[0] & 255) != 0xBE || (answer[1] & 255) != 0xEF) {
          answer = receiveBytes(client);
        }
        assertThat(Messages.read(answer, answer.length).answers()).as("seed %s", seed).isEqualTo(2);
      }
      try (Socket tcp = tcp()) {
        byte[] rubbish = new byte[random.nextInt(200)];
        random.nextBytes(rubbish);
        tcp.getOutputStream().write(rubbish);
      }
    }
    assertThat(dig("+tcp", "web")).contains("127.0.1.2");
  }

  @Test
  void manyQuestionsOverOneConnection() throws Exception {
    try (Socket socket = tcp()) {
      socket.setSoTimeout(10_000);
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      for (int n = 0; n < 50; n++) {
        byte[] question = Messages.question(n, "many", 1);
        out.writeShort(question.length);
        out.write(question);
      }
      DataInputStream in = new DataInputStream(socket.getInputStream());
      for (int n = 0; n < 50; n++) {
        byte[] answer = new byte[in.readUnsignedShort()];
        in.readFully(answer);
        assertThat(Messages.read(answer, answer.length).answers()).isEqualTo(300);
      }
    }
  }

  @Test
  void aSuccessorTakesTheSamePortOver() throws Exception {
    DnsServer successor = server(DnsConfig.defaults());
    Handover handover = Handover.take(folder);
    assertThat(new KeptPort(folder.resolve("port")).listen(successor, handover)).isEqualTo(port);
    server.close();
    assertThat(dig("web")).contains("127.0.1.2");
    assertThat(dig("+tcp", "web")).contains("127.0.1.2");
  }

  @Test
  void aStrangerAtTheKeptPortIsAvoided(@TempDir Path elsewhere) throws Exception {
    java.nio.file.Files.writeString(elsewhere.resolve("port"), Integer.toString(port));
    DnsServer second = server(DnsConfig.defaults());
    assertThatThrownBy(() -> server(DnsConfig.defaults()).listen(port, Handover.take(elsewhere))).isInstanceOf(IOException.class);
    java.nio.file.Files.delete(elsewhere.resolve("pid"));
    int chosen = new KeptPort(elsewhere.resolve("port")).listen(second, Handover.take(elsewhere));
    assertThat(chosen).isNotEqualTo(port);
    assertThat(java.nio.file.Files.readString(elsewhere.resolve("port"))).isEqualTo(Integer.toString(chosen));
  }

  @Test
  void resolversAsPeopleWriteThem() {
    assertThat(Resolvers.parse(List.of("10.0.0.1", "10.0.0.2:5353", "fd00::1", "[fd00::2]:54", "name", "10.0.0.3:x", "")))
        .extracting(InetSocketAddress::getPort)
        .containsExactly(53, 5353, 53, 54);
  }

  private static byte[] answerWithWrongId(byte[] question) {
    byte[] answer = Upstream.answer(question, 6, 6, 6, 6);
    answer[0] ^= 1;
    return answer;
  }

  private Upstream upstream(java.util.function.UnaryOperator<byte[]> udp, java.util.function.UnaryOperator<byte[]> tcp) throws IOException {
    Upstream made = new Upstream(udp, tcp);
    open.add(made);
    return made;
  }

  private String dig(String... arguments) throws Exception {
    return digFrom(ASKER, arguments);
  }

  private String digFrom(String source, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("dig", "-b", source, "@127.0.0.1", "-p", Integer.toString(port), "+tries=1", "+time=10"));
    command.addAll(Arrays.asList(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String text = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    return text;
  }

  private byte[] ask(String gateway, byte[] question) throws IOException {
    try (DatagramSocket client = new DatagramSocket(0, InetAddress.getByName(ASKER))) {
      client.setSoTimeout(10_000);
      send(client, gateway, port, question);
      DatagramPacket answer = new DatagramPacket(new byte[4096], 4096);
      client.receive(answer);
      assertThat(answer.getSocketAddress()).isEqualTo(new InetSocketAddress(gateway, port));
      return Arrays.copyOf(answer.getData(), answer.getLength());
    }
  }

  private static void send(DatagramSocket client, String to, int port, byte[] bytes) throws IOException {
    client.send(new DatagramPacket(bytes, bytes.length, new InetSocketAddress(to, port)));
  }

  private static Messages.Reply receive(DatagramSocket client) throws IOException {
    byte[] bytes = receiveBytes(client);
    return Messages.read(bytes, bytes.length);
  }

  private static byte[] receiveBytes(DatagramSocket client) throws IOException {
    DatagramPacket answer = new DatagramPacket(new byte[4096], 4096);
    client.receive(answer);
    return Arrays.copyOf(answer.getData(), answer.getLength());
  }

  private Socket tcp() throws IOException {
    Socket socket = new Socket();
    socket.bind(new InetSocketAddress(ASKER, 0));
    socket.connect(new InetSocketAddress("127.0.0.1", port));
    return socket;
  }
}
