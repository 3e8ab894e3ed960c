package dev.skep.skepd.faults;

import dev.skep.skepd.faults.Api.Answer;

/** Somebody who changes a service with very large labels until the store takes no more. */
final class Glutton {
  private static final int LABEL_BYTES = 400_000;
  private static final int MOST_WRITES = 200;
  private static final String SPEC =
      "{\"Name\":\"glutton\",\"Labels\":{\"large\":\"%s\"},\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"busybox:0\"}},\"Mode\":{\"Replicated\":{\"Replicas\":0}}}";

  private final Api api;

  Glutton(Api api) {
    this.api = api;
  }

  /** Returns when a write is refused, which must say why and what to do. */
  void fill() {
    Answer answer = api.call("POST", "/services/create", spec(0));
    for (int i = 1; !answer.body().contains("the store is full: ") && i < MOST_WRITES; i++) {
      String version = api.call("GET", "/services/glutton", "").body().replaceFirst("(?s).*\"Version\":\\{\"Index\":(\\d+).*", "$1");
      answer = api.call("POST", "/services/glutton/update?version=" + version, spec(i));
    }
    if (answer.status() != 503 || !answer.body().contains("the store is full: ") || !answer.body().contains("etcdctl alarm disarm")) {
      throw new AssertionError("not what to do: " + answer);
    }
    System.out.println("       at its quota the API says: " + answer.status() + " " + answer.body());
  }

  private static String spec(int number) {
    return SPEC.formatted(Integer.toString(number % 10).repeat(LABEL_BYTES));
  }

  /** It goes away, which takes no room. */
  void end() {
    Plant.await("at its quota something can be removed", () -> {
      Answer answer = api.call("DELETE", "/services/glutton", "");
      return answer.done() || answer.status() == 404; // by a try before, whose answer was lost
    });
  }
}
