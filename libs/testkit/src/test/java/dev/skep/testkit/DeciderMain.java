package dev.skep.testkit;

import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.host.ProcessHost;
import java.nio.file.Path;

/** A manager's process with a decider: {@code <data folder> <store>}. */
final class DeciderMain {
  private DeciderMain() {}

  public static void main(String[] args) throws Exception {
    try (ProcessHost host = HostBuilder.named("decider").data(Path.of(args[0])).heedSignals().component(new Deciding()).startProcess(args[1])) {
      host.awaitStop();
    }
  }
}
