package dev.skep.controlapi.shell.http;

import java.io.IOException;
import java.time.Duration;
import java.util.function.Function;

/**
 * Bytes both ways between a client and the engine until both are done. An end of one direction is passed on and the
 * other direction goes on: {@code docker exec -i} closes its input at once and still wants all output.
 */
final class Relay {
  private static final int PIECE = 32 << 10;
  private static final Duration LAST_WORDS = Duration.ofSeconds(5);

  private Relay() {}

  /** Returns when the engine has said everything and the client has heard it, or either is gone. */
  static void run(Wire client, Wire engine, Function<Runnable, Thread> threads) throws InterruptedException {
    client.withoutLimit();
    Thread upward = threads.apply(() -> upward(client, engine));
    try {
      downward(client, engine);
    } finally {
      engine.close();
      // The client may still be writing into the void; it gets the time to notice that the answer is complete.
      client.within(LAST_WORDS);
      upward.join();
    }
  }

  private static void downward(Wire client, Wire engine) {
    byte[] piece = new byte[PIECE];
    try {
      for (int read = engine.read(piece, 0, PIECE); read >= 0; read = engine.read(piece, 0, PIECE)) {
        client.write(piece, 0, read);
      }
      client.endOutput();
    } catch (IOException _) { // one of them is gone: so is the connection
      client.close();
    }
  }

  private static void upward(Wire client, Wire engine) {
    byte[] piece = new byte[PIECE];
    boolean listening = true;
    try {
      for (int read = client.read(piece, 0, PIECE); read >= 0; read = client.read(piece, 0, PIECE)) {
        listening = listening && written(engine, piece, read);
      }
      engine.endOutput();
    } catch (IOException _) { // the client is gone, or the engine was done first: nobody is left to write to
      engine.close();
    }
  }

  /** An engine that stopped listening may still be talking, so a failed write ends nothing. */
  private static boolean written(Wire engine, byte[] piece, int length) {
    try {
      engine.write(piece, 0, length);
      return true;
    } catch (IOException _) { // bytes for a closed ear are dropped
      return false;
    }
  }
}
