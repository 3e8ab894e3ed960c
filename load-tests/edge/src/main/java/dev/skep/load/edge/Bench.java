package dev.skep.load.edge;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Everything in one run, in turns, so that a noisy moment hits all alike; medians and ratios in one table. */
public final class Bench {
  /** Work per CPU-second of the process, and what else was seen. */
  private record Measure(double perCpuSecond, double perSecond, double p50Micros, double p99Micros, long failures) {}

  private final Contenders contenders;
  private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("load", true), EpollIoHandler.newFactory());
  private final DnsLoad dns;
  private final int rounds;
  private final Duration length;

  private Bench(Contenders contenders, DnsLoad dns, int rounds, Duration length) {
    this.contenders = contenders;
    this.dns = dns;
    this.rounds = rounds;
    this.length = length;
  }

  /** Arguments: work folder, rounds, seconds of each measurement, seconds of warming up; kinds of work (all by default). */
  public static void main(String[] arguments) throws Exception {
    Path work = Path.of(arguments[0]);
    try (Contenders contenders = new Contenders(work)) {
      Bench bench = new Bench(contenders, new DnsLoad(work), Integer.parseInt(arguments[1]), Duration.ofSeconds(Long.parseLong(arguments[2])));
      Backends.start(bench.loops);
      contenders.start();
      List<String> kinds = arguments.length > 4 ? List.of(arguments[4].split(",")) : List.of("small", "connect", "bulk", "dns");
      bench.run(Duration.ofSeconds(Long.parseLong(arguments[3])), kinds);
      bench.loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
    }
  }

  private void run(Duration warm, List<String> kinds) throws Exception {
    List<TcpLoad.Shape> shapes =
        Arrays.stream(TcpLoad.Shape.values()).filter(shape -> kinds.contains(shape.name().toLowerCase(Locale.ROOT))).toList();
    for (TcpLoad.Shape shape : shapes) {
      for (Ports.Proxy proxy : contenders.proxies.keySet()) {
        warm(shape, proxy, proxy == Ports.Proxy.SKEP ? warm : Duration.ofSeconds(1));
      }
    }
    List<String> resolvers = kinds.contains("dns") ? List.copyOf(contenders.resolvers.keySet()) : List.of();
    for (String resolver : resolvers) {
      dns.run(Contenders.dnsPort(resolver), resolver.equals("skep") ? warm : Duration.ofSeconds(1));
    }
    System.out.println("| work | proxy | per CPU-second | ratio to it: ours / theirs | per second | p50 us | p99 us | failures |\n|---|---|---|---|---|---|---|---|");
    for (TcpLoad.Shape shape : shapes) {
      Map<Ports.Proxy, List<Measure>> seen = new EnumMap<>(Ports.Proxy.class);
      for (int round = 0; round < rounds; round++) {
        List<Ports.Proxy> order = new ArrayList<>(contenders.proxies.keySet());
        for (Ports.Proxy proxy : round % 2 == 0 ? order : order.reversed()) {
          seen.computeIfAbsent(proxy, key -> new ArrayList<>()).add(tcp(shape, proxy, length));
        }
      }
      double ours = median(seen.get(Ports.Proxy.SKEP)).perCpuSecond();
      seen.forEach((proxy, measures) -> print(shape.text, proxy.name().toLowerCase(Locale.ROOT), median(measures), ours));
    }
    dns(resolvers);
    System.out.printf("%nresident: edge %d MiB, haproxy %d MiB%n", contenders.proxies.get(Ports.Proxy.SKEP).residentKib() >> 10,
        contenders.proxies.get(Ports.Proxy.HAPROXY).residentKib() >> 10);
  }

  private void dns(List<String> resolvers) throws Exception {
    if (resolvers.isEmpty()) {
      return;
    }
    Map<String, List<Measure>> seen = new LinkedHashMap<>();
    for (int round = 0; round < rounds; round++) {
      for (String resolver : round % 2 == 0 ? resolvers : resolvers.reversed()) {
        Pinned process = contenders.resolvers.get(resolver);
        double before = process.cpuSeconds();
        double answers = dns.run(Contenders.dnsPort(resolver), length);
        double cpu = process.cpuSeconds() - before;
        seen.computeIfAbsent(resolver, key -> new ArrayList<>()).add(new Measure(answers / cpu, answers / length.toSeconds(), 0, 0, 0));
      }
    }
    double ours = median(seen.get("skep")).perCpuSecond();
    seen.forEach((resolver, measures) -> print("A of " + Contenders.NAMES + " names", resolver, median(measures), ours));
  }

  /** At least so long; ours also until its code is compiled, which takes a number of rounds and not a time. */
  private void warm(TcpLoad.Shape shape, Ports.Proxy proxy, Duration time) throws Exception {
    double enough = switch (shape) {
      case SMALL -> 400_000;
      case CONNECT -> 80_000;
      case BULK -> 8e9;
    };
    double done = 0;
    for (int n = 0; n < 10 && (n == 0 || (proxy == Ports.Proxy.SKEP && done < enough)); n++) {
      Measure measure = tcp(shape, proxy, time);
      done += measure.perSecond() * time.toSeconds();
    }
  }

  private Measure tcp(TcpLoad.Shape shape, Ports.Proxy proxy, Duration time) throws Exception {
    Pinned process = contenders.proxies.get(proxy);
    double before = process.cpuSeconds();
    TcpLoad.Result result = TcpLoad.run(loops, shape, proxy.base + (shape == TcpLoad.Shape.BULK ? 1 : 0), time);
    double cpu = process.cpuSeconds() - before;
    TimeUnit.MILLISECONDS.sleep(200); // connections end
    return new Measure(result.work() / cpu, result.work() / result.seconds(), result.p50Micros(), result.p99Micros(), result.failures());
  }

  /** The one in the middle by work per CPU-second. */
  private static Measure median(List<Measure> measures) {
    List<Measure> sorted = new ArrayList<>(measures);
    sorted.sort((a, b) -> Double.compare(a.perCpuSecond(), b.perCpuSecond()));
    return sorted.get(sorted.size() / 2);
  }

  private static void print(String shape, String name, Measure measure, double ours) {
    System.out.printf("| %s | %s | %,.0f | %.2f | %,.0f | %.0f | %.0f | %d |%n", shape, name, measure.perCpuSecond(),
        ours / measure.perCpuSecond(), measure.perSecond(), measure.p50Micros(), measure.p99Micros(), measure.failures());
  }
}
