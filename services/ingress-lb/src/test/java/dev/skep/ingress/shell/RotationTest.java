package dev.skep.ingress.shell;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.ingress.core.Backend;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RotationTest {
  private static final Backend A = new Backend("a", "10.0.0.1", 80);
  private static final Backend B = new Backend("b", "10.0.0.2", 80);
  private static final Backend C = new Backend("c", "10.0.0.3", 80);

  @Test
  void exactOverAllThreads() throws Exception {
    Rotation rotation = new Rotation(1_000);
    rotation.replace(List.of(A, B, C));
    Map<Backend, AtomicInteger> taken = new ConcurrentHashMap<>();
    List<Thread> threads = new ArrayList<>();
    for (int n = 0; n < 4; n++) {
      threads.add(
          Thread.ofPlatform().start(
              () -> {
                for (int k = 0; k < 3_000; k++) {
                  taken.computeIfAbsent(rotation.next(List.of(), 0), any -> new AtomicInteger()).incrementAndGet();
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(taken.values()).extracting(AtomicInteger::get).containsExactly(4_000, 4_000, 4_000);
  }

  @Test
  void oneThatFailedRestsAndComesBack() {
    Rotation rotation = new Rotation(1_000);
    rotation.replace(List.of(A, B, C));
    rotation.failed(B, 0);
    assertThat(take(rotation, 6, 500)).containsExactly(A, C, A, C, A, C);
    assertThat(take(rotation, 3, 2_000)).containsExactlyInAnyOrder(A, B, C);
    rotation.failed(A, 5_000);
    rotation.failed(B, 5_000);
    rotation.failed(C, 5_000);
    assertThat(rotation.next(List.of(), 5_100)).as("all rest: better a tired one than none").isNotNull();
    rotation.reached(B);
    assertThat(take(rotation, 3, 5_200)).containsExactly(B, B, B);
    rotation.replace(List.of(A, B));
    assertThat(take(rotation, 2, 5_300)).as("A goes on resting").containsExactly(B, B);
  }

  @Test
  void nobodyIsTriedTwice() {
    Rotation rotation = new Rotation(1_000);
    assertThat(rotation.next(List.of(), 0)).isNull();
    rotation.replace(List.of(A, B, C));
    List<Backend> tried = new ArrayList<>();
    for (int n = 0; n < 3; n++) {
      Backend next = rotation.next(tried, 0);
      assertThat(tried).doesNotContain(next);
      tried.add(next);
      rotation.failed(next, 0);
    }
    assertThat(rotation.next(tried, 0)).isNull();
  }

  private static List<Backend> take(Rotation rotation, int count, long now) {
    List<Backend> taken = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      taken.add(rotation.next(List.of(), now));
    }
    return taken;
  }
}
