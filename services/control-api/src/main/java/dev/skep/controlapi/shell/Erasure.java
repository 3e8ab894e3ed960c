package dev.skep.controlapi.shell;

import dev.skep.backend.Store;
import dev.skep.runtime.Host;
import dev.skep.state.Owner;
import dev.skep.state.Rows;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes all rows of a cluster out of the store. */
final class Erasure {
  private static final Logger LOG = LoggerFactory.getLogger(Erasure.class);
  private static final int BATCH = 100;
  private static final int PASSES = 50;

  private final Host host;

  Erasure(Host host) {
    this.host = host;
  }

  /**
   * What the user asked goes first, the cluster before all: what is derived from it cannot be written any more then.
   *
   * @param guards what must hold meanwhile; false when it does not
   */
  boolean all(List<Store.Compare> guards) {
    boolean wiped = deleteAll(Rows.cluster().path(), guards);
    for (Owner owner : Owner.values()) { // the loops' rows last: without a cluster nobody campaigns
      wiped = wiped && deleteAll(owner.prefix(), guards);
    }
    return wiped;
  }

  private boolean deleteAll(String prefix, List<Store.Compare> guards) {
    for (int pass = 0; pass < PASSES; pass++) {
      List<Store.Entry> entries = host.store().read(prefix).entries();
      if (entries.isEmpty()) {
        return true;
      }
      long revision = 0;
      for (int from = 0; from < entries.size(); from += BATCH) {
        List<Store.Operation> deletes = new ArrayList<>();
        for (Store.Entry entry : entries.subList(from, Math.min(from + BATCH, entries.size()))) {
          deletes.add(new Store.Operation.Delete(entry.key()));
        }
        switch (host.store().commit(new Store.Transaction(guards, deletes))) {
          case Store.Outcome.Committed committed -> revision = committed.revision();
          case Store.Outcome.Conflict _ -> {
            return false;
          }
        }
      }
      host.view().await(revision, Commits.LIMIT);
    }
    LOG.warn("rows under {} come back faster than they are erased", prefix);
    return true;
  }
}
