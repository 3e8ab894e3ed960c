package dev.skep.dns;

import dev.skep.runtime.host.Launch;

/** The resolver in a process of its own. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    Launch.edge("dns-discovery", args, (settings, _) -> new DnsComponent(DnsConfig.from(settings.of(DnsComponent.NAME))));
  }
}
