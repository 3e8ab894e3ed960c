package dev.skep.runtime.loop;

import dev.skep.backend.Store.Compare;
import dev.skep.backend.Store.Operation;
import dev.skep.state.Guard;
import dev.skep.state.Write;

/** What a change set asks for, in the terms of the store. */
public final class StoreTerms {
  private StoreTerms() {}

  public static Compare compare(Guard guard) {
    return switch (guard) {
      case Guard.Unmodified unmodified -> new Compare.ModRevision(unmodified.key().path(), unmodified.modRevision());
      case Guard.Present present -> new Compare.Exists(present.key().path());
      case Guard.Absent absent -> new Compare.ModRevision(absent.key().path(), 0);
    };
  }

  public static Operation operation(Write write) {
    return switch (write) {
      case Write.Put<?> put -> new Operation.Put(put.key().path(), put.value().toByteArray());
      case Write.Delete delete -> new Operation.Delete(delete.key().path());
    };
  }
}
