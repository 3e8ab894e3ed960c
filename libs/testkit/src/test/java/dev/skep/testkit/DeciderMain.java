package dev.skep.testkit;

import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.host.ProcessHost;
import java.nio.file.Path;
import java.time.Duration;

/** A manager's process with a decider: {@code <data folder> <store> <seconds of its lease>}. Says so once it has started. */
final class DeciderMain {
  static final String STARTED = "the decider has started";

  private DeciderMain() {}

  public static void main(String[] args) throws Exception {
    HostBuilder builder = HostBuilder.named("decider").data(Path.of(args[0])).lease(Duration.ofSeconds(Long.parseLong(args[2]))).heedSignals();
    try (ProcessHost host = builder.component(new Deciding()).startProcess(args[1])) {
      System.out.println(STARTED);
      host.awaitStop();
    }
  }
}
