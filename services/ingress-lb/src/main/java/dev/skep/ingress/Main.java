package dev.skep.ingress;

import dev.skep.runtime.host.Launch;

/** The ingress in a process of its own. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    Launch.edge("ingress-lb", args, (settings, _) -> new IngressComponent(IngressConfig.from(settings.of(IngressComponent.NAME))));
  }
}
