package dev.skep.allocator;

import dev.skep.runtime.host.Launch;

/** The allocator in a process of its own. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    Launch.control("allocator", args, (_, _) -> new Allocator());
  }
}
