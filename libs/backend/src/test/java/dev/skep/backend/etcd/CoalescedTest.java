package dev.skep.backend.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class CoalescedTest {
  @Test
  void whoAsksWhileAQuestionIsUnderWaySharesTheNextOne() throws Exception {
    AtomicInteger questions = new AtomicInteger();
    CountDownLatch firstAsked = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    Coalesced<Integer> coalesced = new Coalesced<>(() -> {
      int number = questions.incrementAndGet();
      firstAsked.countDown();
      try {
        answer.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      return number;
    });
    try (var executor = Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
      Future<Integer> first = executor.submit(coalesced::get);
      firstAsked.await();
      List<Future<Integer>> later = new ArrayList<>();
      List<Thread> askers = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        later.add(executor.submit(() -> {
          synchronized (askers) {
            askers.add(Thread.currentThread());
          }
          return coalesced.get();
        }));
      }
      while (!allWait(askers, 20)) {
        Thread.onSpinWait();
      }
      answer.countDown();
      assertThat(first.get()).isEqualTo(1);
      for (Future<Integer> one : later) {
        assertThat(one.get()).isEqualTo(2);
      }
    }
    assertThat(questions.get()).isEqualTo(2);
  }

  private static boolean allWait(List<Thread> askers, int many) {
    synchronized (askers) {
      return askers.size() == many && askers.stream().allMatch(thread -> thread.getState() == Thread.State.WAITING);
    }
  }

  @Test
  void aFailureIsToldToThoseWhoAskedAndForgotten() {
    AtomicInteger questions = new AtomicInteger();
    Coalesced<Integer> coalesced = new Coalesced<>(() -> {
      if (questions.incrementAndGet() == 1) {
        throw new IllegalStateException("the first fails");
      }
      return 7;
    });
    assertThatThrownBy(coalesced::get).isInstanceOf(IllegalStateException.class).hasMessage("the first fails");
    assertThat(coalesced.get()).isEqualTo(7);
  }
}
