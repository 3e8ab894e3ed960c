package dev.skep.testkit.embedded;

/** Threads for a store without a host. */
final class TestThreads {
  private TestThreads() {}

  static Thread start(String name, Runnable body) {
    return Thread.ofPlatform().daemon().name(name).start(body);
  }
}
