package dev.skep.runtime.http;

import dev.skep.runtime.Metrics;
import io.prometheus.client.exporter.common.TextFormat;
import io.prometheus.client.hotspot.DefaultExports;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Answers /metrics, /live and /ready. */
public final class Endpoint implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final int IDLE_SECONDS = 60;

  private final Vertx vertx;
  private final HttpServer server;

  private Endpoint(Vertx vertx, HttpServer server) {
    this.vertx = vertx;
    this.server = server;
  }

  /** @param missing what the process waits for before it is ready; empty when it is */
  public static Endpoint start(InetSocketAddress address, Metrics metrics, Supplier<String> missing) {
    DefaultExports.register(metrics.registry());
    // It serves no files from the class path: without that it needs no folder to unpack them to, which a killed process leaves.
    FileSystemOptions noFiles = new FileSystemOptions().setClassPathResolvingEnabled(false).setFileCachingEnabled(false);
    Vertx vertx = Vertx.vertx(
        new VertxOptions().setEventLoopPoolSize(1).setWorkerPoolSize(1).setInternalBlockingPoolSize(1).setFileSystemOptions(noFiles));
    HttpServerOptions options =
        new HttpServerOptions().setHost(address.getHostString()).setPort(address.getPort()).setIdleTimeout(IDLE_SECONDS);
    HttpServer server = vertx.createHttpServer(options).requestHandler(request -> answer(vertx, request, metrics, missing));
    try {
      done(server.listen());
    } catch (IllegalStateException e) {
      done(vertx.close());
      throw new IllegalStateException("cannot answer /metrics on " + address + ": " + e.getMessage(), e);
    }
    return new Endpoint(vertx, server);
  }

  private static void answer(Vertx vertx, HttpServerRequest request, Metrics metrics, Supplier<String> missing) {
    if (request.method() != HttpMethod.GET) {
      answer(request, 405, "text/plain", "only GET\n");
      return;
    }
    switch (request.path()) {
      // collecting walks every metric and reads /proc: not on the event loop
      case "/metrics" -> vertx.executeBlocking(() -> text(metrics)).onComplete(
          text -> answer(request, 200, TextFormat.CONTENT_TYPE_004, text),
          failure -> answer(request, 500, "text/plain", failure + "\n"));
      case "/live" -> answer(request, 200, "text/plain", "live\n");
      case "/ready" -> {
        String waits = missing.get();
        answer(request, waits.isEmpty() ? 200 : 503, "text/plain", (waits.isEmpty() ? "ready" : waits) + "\n");
      }
      default -> answer(request, 404, "text/plain", "here are /metrics, /live and /ready\n");
    }
  }

  private static String text(Metrics metrics) throws IOException {
    StringWriter text = new StringWriter();
    TextFormat.write004(text, metrics.registry().metricFamilySamples());
    return text.toString();
  }

  private static void answer(HttpServerRequest request, int status, String type, String body) {
    request.response().setStatusCode(status).putHeader("Content-Type", type).end(body);
  }

  private static <T> T done(Future<T> future) {
    try {
      return future.toCompletionStage().toCompletableFuture().get(PATIENCE.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause().getMessage(), e.getCause());
    } catch (TimeoutException e) {
      throw new IllegalStateException("no answer within " + PATIENCE, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  public int port() {
    return server.actualPort();
  }

  @Override
  public void close() {
    done(vertx.close());
  }
}
