package dev.skep.dispatcher;

import dev.skep.dispatcher.shell.Door;
import dev.skep.runtime.Component;
import dev.skep.runtime.Host;

/** The dispatcher as a component: the gRPC services {@code Dispatcher} and {@code Logs}. */
public final class DispatcherComponent implements Component {
  private final DispatcherConfig config;
  private Door door;

  public DispatcherComponent(DispatcherConfig config) {
    this.config = config;
  }

  @Override
  public String name() {
    return "dispatcher";
  }

  @Override
  public void start(Host host) {
    door = Door.open(host, config);
  }

  @Override
  public void stop() throws Exception {
    if (door != null) {
      door.close();
    }
  }
}
