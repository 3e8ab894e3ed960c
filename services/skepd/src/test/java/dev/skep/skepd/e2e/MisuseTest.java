package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Clients that send rubbish, too much, too slowly or nothing at all get Docker's answers, and the daemon stays up. */
class MisuseTest extends OneMachine {
  private static final String CREATE = "/v1.41/services/create";
  private long pid;

  @Override
  String machineName() {
    return "skem";
  }

  @BeforeEach
  void noteTheDaemon() {
    pid = machine.pid("skepd");
    assertThat(pid).isPositive();
  }

  @AfterEach
  void theDaemonIsStillTheSame() {
    assertThat(machine.pid("skepd")).isEqualTo(pid);
    machine.docker("service", "ls").succeeds();
  }

  @Test
  void malformedBodiesGetDockersErrors() throws IOException {
    assertThat(post(CREATE, "{\"Name\": ")).contains(" 400 ").contains("{\"message\":\"unexpected EOF\"}");
    assertThat(post(CREATE, "")).contains(" 400 ").contains("got EOF while reading request body");
    assertThat(post(CREATE, "{\"Name\": 5}")).contains(" 400 ")
        .contains("json: cannot unmarshal number into Go struct field ServiceSpec.Name of type string");
    assertThat(post(CREATE, "[]")).contains(" 400 ").contains("json: cannot unmarshal array into Go value of type swarm.ServiceSpec");
    assertThat(post("/v1.41/services/nope/update", "{}")).contains(" 400 ").contains("invalid service version ''");
    assertThat(post("/v1.99" + CREATE.substring(6), "{}")).contains(" 400 ").contains("client version 1.99 is too new. Maximum supported API version is 1.41");
    assertThat(post("/v1.41/nope", "{}")).contains(" 404 ").contains("{\"message\":\"page not found\"}");
  }

  @Test
  void deeplyNestedJsonIsRefused() throws IOException {
    assertThat(post(CREATE, "[".repeat(200_000))).contains(" 400 ");
    assertThat(post(CREATE, "{\"Labels\":".repeat(100_000))).contains(" 400 ");
  }

  @Test
  void unknownFieldsAreIgnoredAndDuplicateNamesRefused() throws IOException {
    String spec = "{\"Name\":\"twin\",\"Nope\":{\"a\":[1]},\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"" + IMAGE + "\"}}}";
    assertThat(post(CREATE, spec)).contains(" 201 ").contains("\"ID\":");
    assertThat(post(CREATE, spec)).contains(" 409 ").contains("name conflicts with an existing object: service twin already exists");
    machine.replicas("twin", "1/1");
  }

  @Test
  void bodiesOfTenMegabytesDoNotHurt() throws IOException {
    String big = "{\"Name\":\"big\",\"Labels\":{\"a\":\"" + "x".repeat(10_000_000) + "\"},\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"" + IMAGE + "\"}}}";
    for (int i = 0; i < 3; i++) {
      assertThat(post(CREATE, big)).contains(" 400 ");
    }
    assertThat(machine.docker("service", "ls", "-q").text()).isEmpty();
  }

  @Test
  void aThousandIdleAndAHundredSlowConnectionsLeaveRoomForOthers() throws IOException {
    List<SocketChannel> all = new ArrayList<>();
    try {
      for (int i = 0; i < 1000; i++) {
        all.add(connect());
      }
      for (int i = 0; i < 100; i++) {
        SocketChannel slow = connect();
        all.add(slow);
        send(slow, i % 2 == 0 ? "POST " + CREATE + " HTT" : "POST " + CREATE + " HTTP/1.1\r\nHost: d\r\nContent-Length: 100\r\n\r\n{");
      }
      create("--name", "beside", IMAGE);
      machine.replicas("beside", "1/1");
      // a head that never ends is given up by the server, which closes the connection
      assertThat(answer(all.get(1000))).doesNotContain(" 200 ");
    } finally {
      for (SocketChannel channel : all) {
        channel.close();
      }
    }
  }

  private SocketChannel connect() throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(machine.apiSocket()));
    return channel;
  }

  private static void send(SocketChannel channel, String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** Everything until the server closes the connection. */
  private static String answer(SocketChannel channel) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
    while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
      // the next read waits for more
    }
    return new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8);
  }

  private String post(String path, String body) throws IOException {
    try (SocketChannel channel = connect()) {
      send(channel, "POST " + path + " HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: "
          + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n");
      try {
        send(channel, body);
      } catch (IOException refusedEarly) {
        // the server may answer and close before it has read a body that it refuses
        assertThat(refusedEarly).hasMessageContaining("Broken pipe");
      }
      return answer(channel);
    }
  }
}
