package dev.skep.controlapi.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.skep.controlapi.ControlApi;
import dev.skep.controlapi.ControlApiConfig;
import dev.skep.controlapi.shell.http.Limits;
import dev.skep.testkit.TestHost;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What clients may send, and that the daemon stays up whatever it is. There is no engine behind it. */
class MisuseTest {
  private static final Limits SHORT =
      new Limits(1200, 64 << 10, 10 << 20, 12 << 20, Duration.ofMillis(300), Duration.ofSeconds(5), Duration.ofMinutes(1),
          Duration.ofSeconds(5));

  @TempDir Path folder;
  private TestHost host;
  private ControlApi api;

  @BeforeEach
  void start() {
    api =
        new ControlApi(
            ControlApiConfig.defaults()
                .withApi(List.of("unix://" + folder.resolve("api.sock"), "tcp://127.0.0.1:0"))
                .withEngine(folder.resolve("no-engine.sock"))
                .withLimits(SHORT)
                .withNodeWait(Duration.ofMillis(1)));
    host = TestHost.start(api);
    api.ensureCluster();
  }

  @AfterEach
  void stop() {
    host.close();
  }

  private SocketChannel connect() throws IOException {
    return SocketChannel.open(UnixDomainSocketAddress.of(folder.resolve("api.sock")));
  }

  private static void send(SocketChannel channel, String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** All that comes until the server closes. */
  private static String rest(SocketChannel channel) throws IOException {
    StringBuilder text = new StringBuilder();
    ByteBuffer piece = ByteBuffer.allocate(8192);
    while (channel.read(piece) >= 0) {
      text.append(StandardCharsets.ISO_8859_1.decode(piece.flip()));
      piece.clear();
    }
    return text.toString();
  }

  private String raw(String request) throws IOException {
    try (SocketChannel channel = connect()) {
      send(channel, request);
      return rest(channel);
    }
  }

  private String post(String path, String body) throws IOException {
    int length = body.getBytes(StandardCharsets.ISO_8859_1).length;
    return raw("POST " + path + " HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: " + length + "\r\n\r\n" + body);
  }

  private String get(String path) throws IOException {
    return raw("GET " + path + " HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n");
  }

  private void assertAlive() throws IOException {
    assertThat(get("/v1.41/nodes")).startsWith("HTTP/1.1 200 OK");
    assertThat(host.failures()).isEmpty();
  }

  @Test
  void theSocketIsForItsGroupOnly() throws Exception {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("api.sock")))).isEqualTo("rw-rw----");
  }

  @Test
  void headersAreExact() throws Exception {
    assertThat(get("/v1.41/nodes")).contains("\r\nContent-Type: application/json\r\n").contains("\r\nApi-Version: 1.41\r\n")
        .contains("\r\nOstype: linux\r\n");
    String ping = raw("HEAD /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n");
    assertThat(ping).startsWith("HTTP/1.1 200 OK").contains("Swarm: active/manager").endsWith("\r\n\r\n");
    assertThat(get("/v1.99/nodes")).contains("400").contains("client version 1.99 is too new. Maximum supported API version is 1.41");
    assertThat(get("/v1.11/nodes")).contains("client version 1.11 is too old. Minimum supported API version is 1.24");
    assertThat(get("/nodes/nosuch")).contains("404 Not Found").endsWith("{\"message\":\"node nosuch not found\"}\n");
    assertThat(get("/v1.41/services/a/b")).contains("page not found");
  }

  @Test
  void oneConnectionServesRequestAfterRequest() throws Exception {
    try (SocketChannel channel = connect()) {
      String one = "GET /v1.41/services HTTP/1.1\r\nHost: d\r\n\r\n";
      send(channel, "HEAD /_ping HTTP/1.1\r\nHost: d\r\n\r\n" + one + one);
      send(channel, "POST /v1.41/services/create HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
      send(channel, "2\r\n{}\r\n0\r\n\r\n");
      String all = rest(channel);
      assertThat(all.split("HTTP/1.1 ", -1)).hasSize(5);
      assertThat(all).contains("mismatched Runtime and *Spec fields");
    }
  }

  @Test
  void brokenBodiesHaveDockersWords() throws Exception {
    assertThat(post("/services/create", "")).contains("400").contains("got EOF while reading request body");
    assertThat(post("/services/create", "{\"Name\":\"x\",")).contains("unexpected EOF");
    assertThat(post("/services/create", "{\"Name\":5}"))
        .contains("json: cannot unmarshal number into Go struct field ServiceSpec.Name of type string");
    assertThat(post("/services/create", "{\"Bogus\":1}")).contains("mismatched Runtime and *Spec fields");
    assertThat(post("/services/create", "[".repeat(100_000))).startsWith("HTTP/1.1 400");
    assertThat(post("/swarm/update?version=1", "\u00ff\u0000\u0001")).startsWith("HTTP/1.1 400");
    assertThat(get("/services?filters=%7Bbad")).contains("400").contains("looking for beginning of object key string");
    assertThat(get("/services?filters=%zz")).contains("400");
    assertAlive();
  }

  @Test
  void whatIsNoHttpIsRefused() throws Exception {
    assertThat(raw("hello\r\n\r\n")).startsWith("HTTP/1.1 400");
    assertThat(raw("GET /nodes HTTP/3\r\n\r\n")).startsWith("HTTP/1.1 505");
    assertThat(raw("GET /nodes HTTP/1.1\r\nbad header\r\n\r\n")).startsWith("HTTP/1.1 400");
    assertThat(raw("POST /nodes HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")).startsWith("HTTP/1.1 400");
    assertThat(raw("POST /nodes HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")).startsWith("HTTP/1.1 400");
    assertThat(raw("POST /services/create HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")).startsWith("HTTP/1.1 400");
    assertThat(raw("GET /nodes HTTP/1.1\r\nX: " + "a".repeat(70_000) + "\r\n\r\n")).startsWith("HTTP/1.1 431");
    assertAlive();
  }

  @Test
  void largeBodiesAreAnsweredAndDoNotHurt() throws Exception {
    String label = "{\"Name\":\"big\",\"Labels\":{\"a\":\"" + "x".repeat((10 << 20) - 100) + "\"}}";
    for (int i = 0; i < 4; i++) {
      assertThat(post("/services/create", label)).startsWith("HTTP/1.1 400").contains("http: request body too large");
    }
    assertThat(post("/services/create", "x".repeat((10 << 20) + 1))).startsWith("HTTP/1.1 413").contains("request body is larger than");
    String spec = "{\"Name\":\"big\",\"Labels\":{\"a\":\"" + "x".repeat(2 << 20)
        + "\"},\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"i\"}}}";
    assertThat(post("/services/create", spec)).startsWith("HTTP/1.1 400").contains("object is larger than");
    assertAlive();
  }

  @Test
  @Tag("slow")
  void slowClientsAreHungUpOn() throws Exception {
    try (SocketChannel head = connect();
        SocketChannel body = connect()) {
      send(head, "GET /nodes HT");
      send(body, "POST /services/create HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
      assertThat(rest(head)).isEmpty();
      assertThat(rest(body)).isEmpty();
    } catch (IOException reset) {
      assertThat(reset).hasMessageContaining("reset");
    }
    assertAlive();
  }

  @Test
  void aThousandIdleConnectionsCostNothing() throws Exception {
    List<SocketChannel> idle = new ArrayList<>();
    try {
      for (int i = 0; i < 1000; i++) {
        idle.add(connect());
      }
      assertAlive();
      for (int i = 1000; i < 1300; i++) {
        idle.add(connect());
      }
      SocketChannel last = idle.getLast();
      assertThat(rest(last)).startsWith("HTTP/1.1 503");
    } finally {
      for (SocketChannel channel : idle) {
        channel.close();
      }
    }
    String alive = "";
    while (!alive.startsWith("HTTP/1.1 200")) { // until the closed ones are counted out
      try {
        alive = get("/nodes");
      } catch (IOException refused) {
        continue; // closed before the question was written
      }
    }
    assertAlive();
  }

  @Test
  void overTcpOnlySwarmRoutesAndOnlyByAddress() throws Exception {
    SocketAddress address = api.addresses().stream().filter(InetSocketAddress.class::isInstance).findFirst().orElseThrow();
    assertThat(tcp(address, "GET /nodes HTTP/1.1\r\nHost: 127.0.0.1:2375\r\nConnection: close\r\n\r\n")).startsWith("HTTP/1.1 200");
    assertThat(tcp(address, "GET /nodes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).startsWith("HTTP/1.1 200");
    assertThat(tcp(address, "GET /nodes HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n")).startsWith("HTTP/1.1 200");
    assertThat(tcp(address, "GET /nodes HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")).startsWith("HTTP/1.1 403");
    assertThat(tcp(address, "GET /nodes HTTP/1.1\r\nConnection: close\r\n\r\n")).startsWith("HTTP/1.1 403");
    for (String route : List.of("GET /containers/json", "POST /containers/create", "POST /networks/prune",
        "POST /images/create?fromImage=x")) {
      assertThat(tcp(address, route + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"))
          .as(route).startsWith("HTTP/1.1 403").contains("needs TLS with an API client certificate");
    }
  }

  private static String tcp(SocketAddress address, String request) throws IOException {
    try (SocketChannel channel = SocketChannel.open(address)) {
      send(channel, request);
      return rest(channel);
    }
  }

  @Test
  void ofManyInitsAtOnceOneFoundsTheCluster() throws Exception {
    assertThat(post("/swarm/leave?force=1", "")).startsWith("HTTP/1.1 200");
    List<Future<String>> answers = new ArrayList<>();
    try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 8; i++) {
        answers.add(pool.submit(() -> post("/swarm/init", "{\"AdvertiseAddr\":\"127.0.0.1\"}")));
      }
    }
    int founded = 0;
    for (var answer : answers) {
      founded += answer.get().startsWith("HTTP/1.1 200") ? 1 : 0;
    }
    assertThat(founded).isEqualTo(1);
    assertAlive();
  }

  @Test
  void withoutAnEngineItsRoutesSaySo() throws Exception {
    assertThat(get("/containers/json")).startsWith("HTTP/1.1 503").contains("the engine does not answer");
    assertThat(get("/info")).as("a member shows its cluster all the same").startsWith("HTTP/1.1 200")
        .contains("does not answer").contains("\"LocalNodeState\":\"active\"");
    assertAlive();
  }

  @Test
  void aStaleSocketIsReplacedAndALiveOneIsNot() {
    ControlApi second = new ControlApi(ControlApiConfig.defaults().withApi(List.of("unix://" + folder.resolve("api.sock")))
        .withEngine(folder.resolve("e")));
    try (TestHost other = TestHost.start()) {
      assertThat(catchThrowable(() -> second.start(other))).hasMessageContaining("another program already answers");
    }
  }
}
