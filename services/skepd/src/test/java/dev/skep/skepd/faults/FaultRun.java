package dev.skep.skepd.faults;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Timer;
import java.util.TimerTask;
import java.util.stream.Stream;

/** The process in which faults are tried: {@code <folder> <scenario> <seed> <most minutes>}. Everything that it starts ends with it. */
final class FaultRun {
  private static final int LOG_CHARACTERS = 6_000;

  private FaultRun() {}

  public static void main(String[] args) {
    Thread.ofPlatform().daemon().name("parent").start(FaultRun::endWithParent);
    Path base = Path.of(args[0]);
    new Timer("limit", true).schedule(limit(base), Duration.ofMinutes(Long.parseLong(args[3])).toMillis());
    int status = 0;
    try {
      long began = System.nanoTime();
      Plant plant = new Plant(base, !args[1].equals("short"), args[1].equals("short") || args[1].equals("disks"));
      System.out.printf("STARTED in %d ms, of the processors %d ms%n", Trial.ms(System.nanoTime() - began), cpu());
      try (Trial trial = new Trial(plant, Long.parseLong(args[2]))) {
        Scenarios.of(args[1]).run(trial);
        trial.judge();
      }
      System.out.printf("DONE in %d ms, of the processors %d ms%n", Trial.ms(System.nanoTime() - began), cpu());
    } catch (Throwable e) {
      e.printStackTrace(System.out);
      logs(base);
      status = 1;
    }
    System.out.flush();
    Runtime.getRuntime().halt(status); // the kernel ends all that is in this namespace of processes
  }

  /** Every wait has a bound of its own; this is for what nobody thought of. */
  private static TimerTask limit(Path base) {
    return new TimerTask() {
      @Override
      public void run() {
        System.out.println("not done in time");
        Thread.getAllStackTraces().forEach((thread, stack) -> System.out.println(thread + "\n    at "
            + String.join("\n    at ", Stream.of(stack).map(StackTraceElement::toString).toList())));
        logs(base);
        System.out.flush();
        Runtime.getRuntime().halt(1);
      }
    };
  }

  /** The end of what each process printed. */
  private static void logs(Path base) {
    try (Stream<Path> files = Files.walk(base, 3)) {
      for (Path log : files.filter(file -> file.endsWith("log") && Files.isRegularFile(file) || file.endsWith("broker.log")).sorted().toList()) {
        String text = Files.readString(log);
        System.out.println("---- " + base.relativize(log) + "\n" + text.substring(Math.max(0, text.length() - LOG_CHARACTERS)));
      }
    } catch (IOException | UncheckedIOException e) {
      System.out.println("no logs: " + e);
    }
  }

  /** What all processes that run now have used. */
  private static long cpu() {
    return ProcessHandle.allProcesses().mapToLong(process -> process.info().totalCpuDuration().map(Duration::toMillis).orElse(0L)).sum();
  }

  private static void endWithParent() {
    try (InputStream parent = System.in) {
      while (parent.read() >= 0) {
        // it says nothing; only its end counts
      }
    } catch (IOException e) {
      // as good as its end
    }
    Runtime.getRuntime().halt(2);
  }
}
