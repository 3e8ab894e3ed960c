package dev.skep.skepd;

import dev.skep.runtime.host.CommandThreads;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a rehearsal has for a Docker engine: it answers what the agent asks, and runs nothing. */
final class RehearsalEngine implements AutoCloseable {
  private static final String ABOUT = """
      {"Name":"rehearsal","ServerVersion":"0","OSType":"linux","Architecture":"x86_64","NCPU":2,"MemTotal":8000000000,"Labels":[],
       "Plugins":{"Network":["bridge"],"Volume":["local"],"Log":["json-file"]},"Swarm":{"LocalNodeState":"inactive"},
       "ApiVersion":"1.41","MinAPIVersion":"1.12","Version":"0","Components":[]}""";
  private static final Pattern TASK = Pattern.compile("\"com\\.docker\\.swarm\\.task\\.id\":\"([^\"]*)\"");
  private static final Pattern NETWORK = Pattern.compile("\"(skep-[a-z0-9]+)\"");
  private static final Pattern MEMBER = Pattern.compile("\"Container\":\"([^\"]*)\"");
  private static final Pattern CONTAINER = Pattern.compile("/containers/([^/]+)(/\\w+)?");
  private static final String END = "";

  private record Request(String method, String path, String query, String body, boolean last) {}

  private record Answer(int status, String body) {}

  private record Container(String id, String task, String status, Set<String> networks) {
    Container now(String next) {
      return new Container(id, task, next, networks);
    }
  }

  private final CommandThreads threads = new CommandThreads();
  private final ServerSocketChannel server;
  private final Set<SocketChannel> connections = ConcurrentHashMap.newKeySet();
  private final Set<BlockingQueue<String>> listeners = ConcurrentHashMap.newKeySet();
  private final Map<String, Container> containers = new ConcurrentHashMap<>();
  private final BiConsumer<String, String> seen;
  private volatile boolean closed;

  RehearsalEngine(Path socket) throws IOException {
    this(socket, (_, _) -> {});
  }

  /** @param seen is told of every container that starts, dies or goes: its task, and the engine's word for it */
  RehearsalEngine(Path socket, BiConsumer<String, String> seen) throws IOException {
    this.seen = seen;
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(socket));
    threads.execute(this::accept);
  }

  private void accept() {
    try {
      while (!closed) {
        SocketChannel connection = server.accept();
        connections.add(connection);
        threads.execute(() -> serve(connection));
      }
    } catch (IOException e) {
      if (!closed) {
        throw new IllegalStateException("the rehearsal's engine cannot listen", e);
      }
    }
  }

  private void serve(SocketChannel connection) {
    try (connection;
        InputStream in = new BufferedInputStream(Channels.newInputStream(connection));
        OutputStream out = new BufferedOutputStream(Channels.newOutputStream(connection))) {
      for (Request request = read(in); request != null; request = request.last() ? null : read(in)) {
        if (request.path().equals("/events")) {
          events(out);
          return;
        }
        Answer answer = answer(request);
        byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
        head(out, answer.status(), "Content-Length: " + body.length);
        out.write(body);
        out.flush();
      }
    } catch (IOException | InterruptedException e) {
      // The caller is gone, or the rehearsal is over.
    } finally {
      connections.remove(connection);
    }
  }

  private static Request read(InputStream in) throws IOException {
    String first = line(in);
    if (first.isEmpty()) {
      return null;
    }
    int length = 0;
    boolean chunked = false;
    boolean last = first.endsWith("1.0");
    for (String header = line(in).toLowerCase(java.util.Locale.ROOT); !header.isEmpty(); header = line(in).toLowerCase(java.util.Locale.ROOT)) {
      length = header.startsWith("content-length:") ? Integer.parseInt(header.substring(15).strip()) : length;
      chunked |= header.startsWith("transfer-encoding:") && header.endsWith("chunked");
      last |= header.startsWith("connection:") && header.endsWith("close");
    }
    String body = chunked ? chunks(in) : new String(in.readNBytes(length), StandardCharsets.UTF_8);
    String[] target = first.split(" ")[1].replaceFirst("^/v[0-9.]+", "").split("\\?", 2);
    return new Request(first.split(" ")[0], target[0], target.length == 2 ? target[1] : "", body, last);
  }

  private static String chunks(InputStream in) throws IOException {
    StringBuilder body = new StringBuilder();
    for (int size = Integer.parseInt(line(in), 16); size > 0; size = Integer.parseInt(line(in), 16)) {
      body.append(new String(in.readNBytes(size), StandardCharsets.UTF_8));
      line(in);
    }
    line(in);
    return body.toString();
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
      line.append((char) c);
    }
    return line.toString().stripTrailing();
  }

  private static void head(OutputStream out, int status, String framing) throws IOException {
    String head = "HTTP/1.1 " + status + " rehearsed\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n" + framing + "\r\n\r\n";
    out.write(head.getBytes(StandardCharsets.US_ASCII));
  }

  private void events(OutputStream out) throws IOException, InterruptedException {
    BlockingQueue<String> news = new LinkedBlockingQueue<>();
    listeners.add(news);
    head(out, 200, "Transfer-Encoding: chunked");
    out.flush();
    for (String event = news.take(); !closed && !event.equals(END); event = news.take()) {
      byte[] bytes = (event + "\n").getBytes(StandardCharsets.UTF_8);
      out.write((Integer.toHexString(bytes.length) + "\r\n").getBytes(StandardCharsets.US_ASCII));
      out.write(bytes);
      out.write("\r\n".getBytes(StandardCharsets.US_ASCII));
      out.flush();
    }
  }

  private Answer answer(Request request) {
    String path = request.path();
    Matcher container = CONTAINER.matcher(path);
    if (path.equals("/_ping")) {
      return new Answer(200, "OK");
    } else if (path.equals("/containers/create")) {
      return create(request);
    } else if (path.equals("/containers/json") || path.equals("/networks")) {
      return new Answer(200, "[]");
    } else if (container.matches()) {
      return container(request, container.group(1), container.group(2));
    } else if (path.endsWith("/connect")) {
      Matcher member = MEMBER.matcher(request.body());
      Container joining = member.find() ? containers.get(member.group(1)) : null;
      if (joining != null) {
        joining.networks().add(path.split("/")[2]);
      }
      return new Answer(200, "");
    } else if (path.equals("/images/create")) {
      return new Answer(200, "{\"status\":\"Image is up to date\"}\n");
    } else if (path.equals("/networks/create")) {
      return new Answer(201, "{\"Id\":\"rehearsal\",\"Warning\":\"\"}");
    } else if (path.startsWith("/networks/")) {
      return request.method().equals("DELETE") ? new Answer(204, "") : new Answer(404, "{\"message\":\"no such network\"}");
    }
    return new Answer(200, ABOUT);
  }

  private Answer create(Request request) {
    String name = request.query().replaceFirst("^name=", "");
    Matcher task = TASK.matcher(request.body());
    Set<String> networks = new TreeSet<>();
    Matcher network = NETWORK.matcher(request.body());
    while (network.find()) {
      networks.add(network.group(1));
    }
    String id = String.format("%064x", name.hashCode());
    containers.put(name, new Container(id, task.find() ? task.group(1) : "", "created", networks));
    return new Answer(201, "{\"Id\":\"" + id + "\",\"Warnings\":[]}");
  }

  private Answer container(Request request, String name, String what) {
    Container container = containers.get(name);
    if (container == null) {
      return new Answer(404, "{\"message\":\"No such container: " + name + "\"}");
    }
    if (request.method().equals("DELETE")) {
      containers.remove(name);
      tell(container, "destroy", "");
      return new Answer(204, "");
    }
    return switch (what) {
      case "/start" -> {
        containers.put(name, container.now("running"));
        tell(container, "start", "");
        yield new Answer(204, "");
      }
      case "/stop" -> {
        containers.put(name, container.now("exited"));
        tell(container, "die", ",\"exitCode\":\"0\"");
        yield new Answer(204, "");
      }
      case "/json" -> new Answer(200, inspected(container));
      case null, default -> new Answer(404, "{\"message\":\"page not found\"}");
    };
  }

  private static String inspected(Container container) {
    StringBuilder networks = new StringBuilder();
    container.networks().forEach(name -> networks.append(networks.isEmpty() ? "" : ",").append('"').append(name).append("\":{}"));
    return "{\"Id\":\"" + container.id() + "\",\"State\":{\"Status\":\"" + container.status() + "\",\"Pid\":1,\"ExitCode\":0,\"Error\":\"\""
        + ",\"FinishedAt\":\"2020-01-01T00:00:00Z\"},\"NetworkSettings\":{\"Ports\":{},\"Networks\":{" + networks + "}}}";
  }

  private void tell(Container container, String action, String more) {
    seen.accept(container.task(), action);
    String event = "{\"Type\":\"container\",\"Action\":\"" + action + "\",\"Actor\":{\"ID\":\"" + container.id()
        + "\",\"Attributes\":{\"com.docker.swarm.task.id\":\"" + container.task() + "\"" + more + "}}}";
    listeners.forEach(news -> news.add(event));
  }

  @Override
  public void close() throws IOException {
    closed = true;
    server.close();
    listeners.forEach(news -> news.add(END));
    for (SocketChannel connection : connections) {
      connection.close();
    }
    threads.close();
  }
}
