package dev.skep.runtime.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.runtime.identity.Trust;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A door that is closed and opened at every moment of its start. */
class GrpcDoorTest {
  private static final int ROUNDS = 600;
  private static final int MOMENTS = 300;
  private static final long STEP_NANOS = 20_000;

  private final CopyOnWriteArrayList<Throwable> failures = new CopyOnWriteArrayList<>();

  @Test
  @Tag("slow")
  @Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // a door that never closes holds a lock
  void itClosesWhileItStartsAndGivesThePortBack(@TempDir Path folder) throws Exception {
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      GrpcDoor door = new GrpcDoor(
          new LocalServices(threads), new Trust(folder, Clock.systemUTC()), _ -> Optional.empty(), threads,
          work -> threads.execute(() -> guarded(work)), UnaryOperator.identity());
      String address = "127.0.0.1:0";
      for (int round = 0; round < ROUNDS; round++) {
        address = door.open(address); // from the second round on the port that was given back
        LockSupport.parkNanos(round % MOMENTS * STEP_NANOS);
        door.close();
        assertThat(door.address()).isEmpty();
      }
    }
    assertThat(failures).isEmpty();
  }

  private void guarded(Runnable work) {
    try {
      work.run();
    } catch (RuntimeException | Error e) {
      failures.add(e);
      throw e;
    }
  }
}
