package dev.skep.skepd.faults;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;

/** The process in which faults are tried: {@code <folder> <scenario> <seed>}. Everything that it starts ends with it. */
final class FaultRun {
  private FaultRun() {}

  public static void main(String[] args) {
    Thread.ofPlatform().daemon().name("parent").start(FaultRun::endWithParent);
    int status = 0;
    Plant plant = null;
    try {
      long began = System.nanoTime();
      plant = new Plant(Path.of(args[0]), !args[1].equals("short"));
      System.out.printf("STARTED in %d ms, of the processors %d ms%n", Trial.ms(System.nanoTime() - began), cpu());
      try (Trial trial = new Trial(plant, Long.parseLong(args[2]))) {
        Scenarios.of(args[1]).run(trial);
        trial.judge();
      }
      System.out.printf("DONE in %d ms, of the processors %d ms%n", Trial.ms(System.nanoTime() - began), cpu());
    } catch (Throwable e) {
      e.printStackTrace(System.out);
      if (plant != null) {
        plant.replicas.forEach(replica -> System.out.println("---- " + replica.name() + "\n" + replica.log()));
      }
      status = 1;
    }
    System.out.flush();
    Runtime.getRuntime().halt(status); // the kernel ends all that is in this namespace of processes
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
