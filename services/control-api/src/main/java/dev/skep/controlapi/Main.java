package dev.skep.controlapi;

import dev.skep.runtime.host.Launch;

/** The control-api in a process of its own. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    Launch.control("control-api", args, (settings, process) -> new ControlApi(ControlApiConfig.from(settings, process.run())));
  }
}
