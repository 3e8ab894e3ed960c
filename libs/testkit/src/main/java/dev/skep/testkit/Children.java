package dev.skep.testkit;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Starts processes that the kernel kills when this one is gone, however it ended: a halt and kill -9 run no shutdown hook. */
public final class Children {
  /** The kernel goes by the end of the thread that started a process, so it is always this one, which never ends. */
  private static final ExecutorService PARENT = Executors.newSingleThreadExecutor(
      work -> Thread.ofPlatform().daemon().name("parent-of-servers").unstarted(work));

  private Children() {}

  /** @param builder its command must become the process itself: one that it starts in turn is not its heir */
  public static Process start(ProcessBuilder builder) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("setpriv", "--pdeathsig", "KILL", "--"));
    command.addAll(builder.command());
    builder.command(command);
    try {
      return PARENT.submit(builder::start).get();
    } catch (ExecutionException e) {
      throw new IOException("cannot start " + String.join(" ", command), e.getCause());
    }
  }
}
