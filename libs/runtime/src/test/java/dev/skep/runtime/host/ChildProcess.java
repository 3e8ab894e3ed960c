package dev.skep.runtime.host;

import dev.skep.runtime.Component;
import dev.skep.runtime.Host;
import java.nio.file.Path;

/** A real process for {@link HostTest}. */
final class ChildProcess {
  private ChildProcess() {}

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[1]);
    Component component = new Component() {
      @Override
      public String name() {
        return "child";
      }

      @Override
      public void start(Host host) {
        if (args[0].equals("fatal")) {
          host.thread("bad", () -> {
            throw new IllegalStateException("as asked");
          });
        }
      }

      @Override
      public void stop() {
        System.out.println("stopped");
      }
    };
    try (ProcessHost host = HostBuilder.named("child").heedSignals().data(folder.resolve("data")).component(component)
        .startProcess("embedded:" + folder.resolve("store"))) {
      System.out.println("started");
      host.awaitStop();
    }
  }
}
