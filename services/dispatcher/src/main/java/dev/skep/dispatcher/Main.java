package dev.skep.dispatcher;

import dev.skep.runtime.host.Launch;

/** The dispatcher in a process of its own. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    Launch.control("dispatcher", args, (_, _) -> new DispatcherComponent(DispatcherConfig.alone()));
  }
}
