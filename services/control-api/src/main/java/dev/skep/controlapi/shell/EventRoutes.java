package dev.skep.controlapi.shell;

import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.ApiError;
import dev.skep.controlapi.shell.engine.Engine;
import dev.skep.controlapi.shell.http.MalformedRequest;
import dev.skep.controlapi.shell.http.Reply;
import dev.skep.controlapi.shell.http.Request;
import dev.skep.runtime.Host;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** GET /events: the engine's events and the cluster's in one stream. */
final class EventRoutes {
  private static final Logger LOG = LoggerFactory.getLogger(EventRoutes.class);
  private static final int QUEUE = 4096; // a reader further behind than this is hung up on
  private static final Duration FOREVER = Duration.ofDays(36_500);
  private static final Duration ENGINE_PATIENCE = Duration.ofSeconds(5);
  private static final Piece END = new Piece(-1, new byte[0]);

  /** A line; {@code number} is that of the cluster's event, 0 for the engine's. */
  private record Piece(long number, byte[] line) {}

  private final Host host;
  private final EventFeed feed;
  private final Engine engine;

  EventRoutes(Host host, EventFeed feed, Engine engine) {
    this.host = host;
    this.feed = feed;
    this.engine = engine;
  }

  Reply events(Request request, String version) throws MalformedRequest {
    Answer<Map<String, Set<String>>> filters = Replies.filters(request);
    Optional<Instant> since = UnixTime.parse(request.query("since"));
    Optional<Instant> until = UnixTime.parse(request.query("until"));
    if (request.hasQuery("since") && !request.query("since").isEmpty() && since.isEmpty()
        || request.hasQuery("until") && !request.query("until").isEmpty() && until.isEmpty()) {
      return Replies.error(ApiError.badRequest("since and until are seconds since 1970"));
    }
    String target = version + "/events" + NetworkRoutes.query(request);
    boolean both = request.local();
    return Replies.of(
        filters, asked -> new Reply.Streamed(200, Reply.JSON,
            pieces -> new Session(asked, since, until, pieces).run(both ? Optional.of(target) : Optional.empty())));
  }

  /** One reader. */
  private final class Session {
    private final Map<String, Set<String>> filters;
    private final Optional<Instant> since;
    private final Optional<Instant> until;
    private final Reply.Pieces pieces;
    private final BlockingQueue<Piece> queue = new ArrayBlockingQueue<>(QUEUE);
    private volatile boolean over;
    private volatile boolean engineDone = true;

    private Session(Map<String, Set<String>> filters, Optional<Instant> since, Optional<Instant> until, Reply.Pieces pieces) {
      this.filters = filters;
      this.since = since;
      this.until = until;
      this.pieces = pieces;
    }

    void run(Optional<String> engineTarget) throws IOException, InterruptedException {
      AutoCloseable listening = feed.listen(this::heard);
      Optional<Engine.Stream> stream = engineTarget.flatMap(this::open);
      try {
        pieces.whenClientLeaves(() -> end(stream));
        stream.ifPresent(
            open -> {
              engineDone = false;
              host.blocking("control-api-engine-events", () -> pump(open));
            });
        drain(replay());
      } finally {
        Cluster.close(listening);
        end(stream);
      }
    }

    private Optional<Engine.Stream> open(String target) {
      try {
        return Optional.of(engine.open("GET", target, Map.of()));
      } catch (IOException e) {
        LOG.info("events without those of the engine, which does not answer: {}", e.getMessage());
        return Optional.empty();
      }
    }

    private void heard(EventFeed.Seen seen) {
      if (seen.event().passes(filters) && (until.isEmpty() || seen.at().isBefore(until.get()))
          && !queue.offer(new Piece(seen.number(), seen.line()))) {
        over = true;
      }
    }

    /** Answers the number of the last event that was written. */
    private long replay() throws IOException {
      long last = 0;
      for (EventFeed.Seen old : since.isEmpty() ? List.<EventFeed.Seen>of() : feed.since(since.get(), filters)) {
        if (until.isEmpty() || old.at().isBefore(until.get())) {
          pieces.write(old.line());
        }
        last = old.number();
      }
      return last;
    }

    private void drain(long replayed) throws IOException, InterruptedException {
      while (!over) {
        Duration left = until.map(end -> Duration.between(host.clock().instant(), end)).orElse(FOREVER);
        boolean late = left.isNegative() || left.isZero();
        if (late && engineDone && queue.isEmpty()) {
          return;
        }
        Piece piece = queue.poll((late ? ENGINE_PATIENCE : left).toMillis(), TimeUnit.MILLISECONDS);
        if (piece == null && late) {
          return;
        }
        if (piece != null && piece != END && (piece.number() == 0 || piece.number() > replayed)) {
          pieces.write(piece.line());
        }
      }
    }

    private void end(Optional<Engine.Stream> stream) {
      over = true;
      queue.offer(END);
      stream.ifPresent(Engine.Stream::hangUp);
    }

    /** Whole lines only: two writers share the stream. */
    private void pump(Engine.Stream stream) {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      try (stream) {
        byte[] piece = stream.next();
        while (piece.length > 0 && !over) {
          for (byte b : piece) {
            line.write(b);
            if (b == '\n') {
              if (stream.status() == 200 && !queue.offer(new Piece(0, line.toByteArray()), ENGINE_PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                over = true;
              }
              line.reset();
            }
          }
          piece = stream.next();
        }
      } catch (IOException e) {
        LOG.debug("the engine's events ended: {}", e.getMessage());
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      } finally {
        engineDone = true;
        queue.offer(END); // wakes a reader that waits for nothing else
      }
    }
  }
}
