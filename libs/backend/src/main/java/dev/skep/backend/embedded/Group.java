package dev.skep.backend.embedded;

import dev.skep.backend.Store;
import dev.skep.backend.Store.Compare;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.Store.Transaction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Transactions that go to the disk together. Each sees what the ones before it wrote; each makes a revision of its own.
 * Nobody else sees anything before the group is durable.
 */
final class Group {
  private final Latest latest;
  private final Leases leases;
  private final Map<String, Store.Change> written = new HashMap<>(); // the newest change of each key in this group
  private final List<List<Database.Leased>> revisions = new ArrayList<>();
  private long revision;

  Group(Latest latest, Leases leases) {
    this.latest = latest;
    this.leases = leases;
    this.revision = latest.revision();
  }

  boolean isEmpty() {
    return revisions.isEmpty();
  }

  long revision() {
    return revision;
  }

  List<List<Database.Leased>> revisions() {
    return revisions;
  }

  /** What will become of the transaction when this group lands. */
  Outcome add(Transaction transaction) {
    for (Compare compare : transaction.compares()) {
      if (!holds(compare)) {
        return new Outcome.Conflict(revision);
      }
    }
    List<Database.Leased> changes = new ArrayList<>();
    for (Operation operation : transaction.operations()) {
      Store.Entry before = entry(operation.key());
      switch (operation) {
        case Operation.Put put -> {
          leases.require(put.leaseId());
          long created = before == null ? revision + 1 : before.createRevision();
          changes.add(new Database.Leased(new Store.Change(put.key(), put.value(), created, revision + 1), put.leaseId()));
        }
        case Operation.Delete delete -> {
          if (before != null) {
            changes.add(new Database.Leased(new Store.Change(delete.key(), null, before.createRevision(), revision + 1), 0));
          }
        }
      }
    }
    if (!changes.isEmpty()) {
      revision++;
      changes.sort((a, b) -> a.change().key().compareTo(b.change().key()));
      changes.forEach(leased -> written.put(leased.change().key(), leased.change()));
      revisions.add(changes);
    }
    return new Outcome.Committed(revision);
  }

  private boolean holds(Compare compare) {
    Store.Entry entry = entry(compare.key());
    return switch (compare) {
      case Compare.Exists exists -> entry != null;
      case Compare.ModRevision wanted -> (entry == null ? 0 : entry.modRevision()) == wanted.revision();
    };
  }

  private Store.Entry entry(String key) {
    Store.Change change = written.get(key);
    if (change == null) {
      return latest.get(key).orElse(null);
    }
    return change.value() == null ? null : new Store.Entry(key, change.value(), change.createRevision(), change.modRevision());
  }

  /** What readers and watchers will see. */
  List<Revised> published() {
    List<Revised> published = new ArrayList<>(revisions.size());
    for (List<Database.Leased> changes : revisions) {
      published.add(new Revised(changes.getFirst().change().modRevision(), changes.stream().map(Database.Leased::change).toList()));
    }
    return published;
  }
}
