package dev.skep.runtime.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.skep.runtime.Metrics;
import io.prometheus.client.exporter.common.TextFormat;
import io.prometheus.client.hotspot.DefaultExports;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.function.BooleanSupplier;

/** Answers /metrics, /live and /ready on a loopback address: what it tells is not for everybody. */
public final class Endpoint implements AutoCloseable {
  private final HttpServer server;

  private Endpoint(HttpServer server) {
    this.server = server;
  }

  public static Endpoint start(InetSocketAddress address, Metrics metrics, BooleanSupplier ready) {
    if (address.isUnresolved() || !address.getAddress().isLoopbackAddress()) {
      throw new IllegalArgumentException("metrics answer on a loopback address only, not on " + address);
    }
    DefaultExports.register(metrics.registry());
    try {
      HttpServer server = HttpServer.create(address, 16);
      server.createContext("/metrics", exchange -> {
        StringWriter text = new StringWriter();
        TextFormat.write004(text, metrics.registry().metricFamilySamples());
        answer(exchange, 200, TextFormat.CONTENT_TYPE_004, text.toString());
      });
      server.createContext("/live", exchange -> answer(exchange, 200, "text/plain", "live\n"));
      server.createContext("/ready", exchange -> {
        boolean is = ready.getAsBoolean();
        answer(exchange, is ? 200 : 503, "text/plain", is ? "ready\n" : "starting\n");
      });
      server.start();
      return new Endpoint(server);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot answer /metrics on " + address + ": " + e.getMessage(), e);
    }
  }

  private static void answer(HttpExchange exchange, int status, String type, String text) throws IOException {
    try (exchange) {
      if (!exchange.getRequestURI().getPath().equals(exchange.getHttpContext().getPath())) {
        exchange.sendResponseHeaders(404, -1);
        return;
      }
      byte[] body = text.getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", type);
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  public int port() {
    return server.getAddress().getPort();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
