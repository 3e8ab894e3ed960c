package dev.skep.dispatcher.shell;

import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.testkit.ForwardingStore;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Function;

/** A real store whose next commits go the way that the test says. */
final class FaultyStore extends ForwardingStore {
  private final Queue<Function<Transaction, Outcome>> next = new ArrayDeque<>();

  FaultyStore(Store store) {
    super(store);
  }

  /** The next commit does not reach the store. */
  void fail() {
    next.add(transaction -> {
      throw new StoreException("no store");
    });
  }

  /** The next commit lands, and its answer is lost. */
  void loseAnswer() {
    next.add(transaction -> {
      super.commit(transaction);
      throw new StoreException("no answer");
    });
  }

  /** The next commit's answer is lost, and it lands when the returned action runs. */
  Runnable delay() {
    Transaction[] late = new Transaction[1];
    next.add(transaction -> {
      late[0] = transaction;
      throw new StoreException("no answer");
    });
    return () -> super.commit(late[0]);
  }

  /** Something else is written just before the next commit. */
  void interfere(Runnable write) {
    next.add(transaction -> {
      write.run();
      return super.commit(transaction);
    });
  }

  @Override
  public Outcome commit(Transaction transaction) {
    Function<Transaction, Outcome> fault = next.poll();
    return fault == null ? super.commit(transaction) : fault.apply(transaction);
  }

  /** The store is its host's. */
  @Override
  public void close() {}
}
