package dev.skep.ingress.shell;

import dev.skep.feed.v1.EdgePort;
import dev.skep.ingress.core.PublishedPort;
import dev.skep.ingress.core.Route;
import dev.skep.ingress.core.Routes;
import dev.skep.runtime.net.Handover;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the ports of this node as the routes want them. A port that cannot be opened is a problem to report and is
 * tried again until it opens or is not wanted any more. One event loop owns everything here.
 */
public final class OpenPorts {
  private static final Logger LOG = LoggerFactory.getLogger(OpenPorts.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

  /** A port that is wanted: open, being opened, or failed with a reason. */
  private final class Wanted {
    Route route;
    OpenPort open;
    boolean opening;
    boolean unwanted;
    String problem = "";
    Duration pause = FIRST_PAUSE;

    Wanted(Route route) {
      this.route = route;
    }
  }

  private final Traffic traffic;
  private final Handover handover;
  private final Runnable problemsChanged;
  private final EventLoop loop;
  private final Map<PublishedPort, Wanted> wanted = new TreeMap<>();
  private Routes routes;
  private boolean closed;
  private volatile List<EdgePort> problems = List.of();

  OpenPorts(Traffic traffic, Handover handover, Runnable problemsChanged) {
    this.traffic = traffic;
    this.handover = handover;
    this.problemsChanged = problemsChanged;
    this.loop = traffic.loops.next();
  }

  /** Ports that are wanted and not open, with the reasons. */
  public List<EdgePort> problems() {
    return problems;
  }

  /** Done when every change is in effect: new traffic follows the routes, and each new port is open or has a problem. */
  public Future<Void> apply(Routes next) {
    Promise<Void> done = loop.newPromise();
    loop.execute(
        () -> {
          List<Future<?>> steps = new ArrayList<>();
          if (!closed) {
            Routes.Diff diff = routes == null ? new Routes.Diff(List.copyOf(next.all().values()), List.of()) : next.since(routes);
            routes = next;
            diff.closed().forEach(port -> steps.add(close(port)));
            diff.put().forEach(route -> steps.add(put(route)));
            noteProblems();
          }
          allOf(steps, done);
        });
    return done;
  }

  /** Closes every listener and opens none any more; connections that are open stay. */
  public Future<Void> close() {
    Promise<Void> done = loop.newPromise();
    loop.execute(
        () -> {
          closed = true;
          List<Future<?>> steps = new ArrayList<>();
          List.copyOf(wanted.keySet()).forEach(port -> steps.add(close(port)));
          allOf(steps, done);
        });
    return done;
  }

  /** Problems of single steps are kept as the ports' problems; here only the end counts. */
  private void allOf(List<Future<?>> steps, Promise<Void> done) {
    int[] left = {steps.size()};
    if (steps.isEmpty()) {
      done.setSuccess(null);
    }
    for (Future<?> step : steps) {
      step.addListener(
          ended ->
              loop.execute(
                  () -> {
                    if (--left[0] == 0) {
                      done.setSuccess(null);
                    }
                  }));
    }
  }

  private Future<?> close(PublishedPort port) {
    Wanted gone = wanted.remove(port);
    gone.unwanted = true;
    return gone.open == null ? loop.newSucceededFuture(null) : gone.open.close();
  }

  private Future<?> put(Route route) {
    Wanted port = wanted.get(route.published());
    if (port != null) {
      port.route = route;
      return port.open == null ? loop.newSucceededFuture(null) : port.open.route(route);
    }
    port = new Wanted(route);
    wanted.put(route.published(), port);
    if (route.published().protocol().equals("sctp")) {
      port.problem = "sctp is not supported by the routing mesh: publish the port with mode=host";
      return loop.newSucceededFuture(null);
    }
    return open(port);
  }

  private Future<?> open(Wanted port) {
    Route route = port.route;
    try {
      handover.check(route.published().protocol(), route.published().port());
    } catch (IOException held) {
      failed(port, held);
      return loop.newSucceededFuture(null);
    }
    port.opening = true;
    Promise<Void> done = loop.newPromise();
    Future<OpenPort> opened = route.published().protocol().equals("udp") ? UdpPublished.open(traffic, route) : TcpPort.open(traffic, route);
    opened.addListener((Future<OpenPort> ended) -> loop.execute(() -> {
      opened(port, route, ended);
      done.setSuccess(null);
    }));
    return done;
  }

  private void opened(Wanted port, Route route, Future<OpenPort> ended) {
    port.opening = false;
    if (!ended.isSuccess()) {
      failed(port, ended.cause());
      return;
    }
    port.open = ended.getNow();
    if (port.unwanted) {
      port.open.close();
      return;
    }
    if (!port.route.equals(route)) {
      port.open.route(port.route);
    }
    if (!port.problem.isEmpty()) {
      LOG.info("port {} of service {} is open now", route.published(), route.serviceName());
      port.problem = "";
    }
    noteProblems();
  }

  private void failed(Wanted port, Throwable cause) {
    PublishedPort published = port.route.published();
    String problem = problem(published, cause);
    if (!problem.equals(port.problem)) {
      LOG.warn("port {} of service {}: {}", published, port.route.serviceName(), problem);
    }
    port.problem = problem;
    noteProblems();
    if (!port.unwanted && !closed) {
      loop.schedule(() -> tryAgain(port), port.pause.toMillis(), TimeUnit.MILLISECONDS);
      Duration doubled = port.pause.multipliedBy(2);
      port.pause = doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled;
    }
  }

  private void tryAgain(Wanted port) {
    if (!port.unwanted && !closed && port.open == null && !port.opening) {
      open(port);
    }
  }

  private static String problem(PublishedPort port, Throwable cause) {
    String message = String.valueOf(cause.getMessage());
    if (message.contains("(-98)") || message.contains("in use")) {
      return "already in use by another program";
    }
    if (message.contains("(-13)") || message.contains("(-1)")) {
      return "may not be opened by this process: " + message;
    }
    return "could not be opened: " + message;
  }

  private void noteProblems() {
    List<EdgePort> now = new ArrayList<>();
    wanted.forEach(
        (port, state) -> {
          if (!state.problem.isEmpty()) {
            now.add(EdgePort.newBuilder().setProtocol(port.protocol()).setPort(port.port()).setProblem(state.problem).build());
          }
        });
    if (!now.equals(problems)) {
      problems = List.copyOf(now);
      problemsChanged.run();
    }
  }
}
