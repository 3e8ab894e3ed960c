package dev.skep.testkit.contract;

import dev.skep.backend.Store;
import dev.skep.backend.Store.Compare;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.Store.Transaction;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Short forms for tests that speak in texts. */
final class Texts {
  private Texts() {}

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  static Operation put(String key, String value) {
    return new Operation.Put(key, bytes(value));
  }

  static Operation delete(String key) {
    return new Operation.Delete(key);
  }

  static Transaction all(Operation... operations) {
    return new Transaction(List.of(), List.of(operations));
  }

  static Transaction when(Compare compare, Operation... operations) {
    return new Transaction(List.of(compare), List.of(operations));
  }

  static Compare at(String key, long revision) {
    return new Compare.ModRevision(key, revision);
  }

  static Compare absent(String key) {
    return new Compare.ModRevision(key, 0);
  }

  static Compare exists(String key) {
    return new Compare.Exists(key);
  }

  static long landed(Outcome outcome) {
    return switch (outcome) {
      case Outcome.Committed committed -> committed.revision();
      case Outcome.Conflict conflict -> throw new AssertionError("a conflict at revision " + conflict.revision());
    };
  }

  static long conflicted(Outcome outcome) {
    return switch (outcome) {
      case Outcome.Committed committed -> throw new AssertionError("it landed at revision " + committed.revision());
      case Outcome.Conflict conflict -> conflict.revision();
    };
  }

  /** {@code key=value} of all entries, in the order in which they came. */
  static List<String> lines(Store.Snapshot snapshot) {
    return snapshot.entries().stream().map(entry -> entry.key() + "=" + text(entry.value())).toList();
  }
}
