package dev.skep.load.placement;

import dev.skep.testkit.etcd.EtcdServer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/** Services of ten tasks that come at a fixed rate, live for some seconds and go. */
final class Background {
  private static final int REPLICAS = 10;
  private static final int LIFE_SECONDS = 5;
  private static final int WATCHED_EVERY_MILLIS = 100;

  private final Manager manager;
  private final Figures figures;
  private final AtomicBoolean over = new AtomicBoolean();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  Background(Manager manager, Figures figures) {
    this.manager = manager;
    this.figures = figures;
  }

  /** Single creates while the background goes on. */
  void measure(int rate, int seconds) throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> background = threads.submit(() -> churn(rate, threads));
      Thread.sleep(1_000L * (LIFE_SECONDS + 2)); // until services also go
      long placed = manager.meter.placed.get();
      long began = System.nanoTime();
      List<Future<Double>> creates = new ArrayList<>();
      for (int i = 0; i < seconds * 1_000 / WATCHED_EVERY_MILLIS; i++) {
        String name = "busy" + i;
        creates.add(threads.submit(() -> manager.one(name))); // on time, also when the one before it is late
        until(began + (i + 1) * TimeUnit.MILLISECONDS.toNanos(WATCHED_EVERY_MILLIS));
      }
      figures.put("busy placements/s", (manager.meter.placed.get() - placed) / ((System.nanoTime() - began) / 1e9));
      double[] millis = new double[creates.size()];
      for (int i = 0; i < millis.length; i++) {
        millis[i] = creates.get(i).get();
      }
      figures.latency("busy ms", millis);
      over.set(true);
      background.get();
      for (int i = 0; i < millis.length; i++) {
        manager.api.remove("busy" + i);
      }
    }
    check();
  }

  /** The same for long, and what the stores grow to. */
  void endure(int rate, int seconds, Servers servers) throws Exception {
    EtcdServer etcd = servers.etcd().orElseThrow(() -> new IllegalArgumentException("the hour is of the form etcd"));
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> background = threads.submit(() -> churn(rate, threads));
      long began = System.nanoTime();
      long before = manager.meter.placed.get();
      double most = 0;
      for (int second = 0; second < seconds && failure.get() == null; ) {
        second += Math.min(15, seconds - second);
        until(began + TimeUnit.SECONDS.toNanos(second));
        double file = Life.megabytes(etcd, "etcd_mvcc_db_total_size_in_bytes");
        most = Math.max(most, file);
        System.out.printf("%5d s: %.0f placements/s; etcd %.0f MiB, in use %.0f MiB; log %.0f MiB, %.0f revisions behind%n", second,
            (manager.meter.placed.get() - before) / (double) second, file, Life.megabytes(etcd, "etcd_mvcc_db_total_size_in_use_in_bytes"),
            servers.kafka().orElseThrow().bytes(Servers.TOPIC) / 1048576.0, manager.metric("skep_relay_lag_revisions"));
      }
      figures.put("hour placements/s", (manager.meter.placed.get() - before) / ((System.nanoTime() - began) / 1e9));
      figures.put("hour etcd MiB", most);
      over.set(true);
      background.get();
    }
    check();
  }

  private Void churn(int rate, ExecutorService threads) throws InterruptedException {
    long every = TimeUnit.SECONDS.toNanos(1) * REPLICAS / rate;
    long began = System.nanoTime();
    List<Future<?>> lives = new ArrayList<>();
    for (long i = 0; !over.get() && failure.get() == null; i++) {
      String name = "background" + i;
      lives.add(threads.submit(() -> life(name)));
      lives.removeIf(Future::isDone);
      until(began + (i + 1) * every);
    }
    for (Future<?> life : lives) {
      try {
        life.get();
      } catch (java.util.concurrent.ExecutionException e) {
        failure.compareAndSet(null, e.getCause());
      }
    }
    return null;
  }

  private void life(String name) {
    try {
      manager.api.createAtLast(name, REPLICAS);
      TimeUnit.SECONDS.sleep(LIFE_SECONDS);
      manager.api.removeAtLast(name);
    } catch (Exception e) {
      failure.compareAndSet(null, e);
    }
  }

  private static void until(long nanos) throws InterruptedException {
    long left = nanos - System.nanoTime();
    if (left > 0) {
      TimeUnit.NANOSECONDS.sleep(left);
    }
  }

  private void check() {
    if (failure.get() != null) {
      throw new IllegalStateException("the background failed", failure.get());
    }
  }
}
