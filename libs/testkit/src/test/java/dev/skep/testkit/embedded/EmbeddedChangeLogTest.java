package dev.skep.testkit.embedded;

import dev.skep.backend.ChangeLog;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.Store.Transaction;
import dev.skep.backend.embedded.EmbeddedChangeLog;
import dev.skep.backend.embedded.SqliteStore;
import dev.skep.testkit.contract.ChangeLogContract;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedChangeLogTest extends ChangeLogContract {
  @TempDir
  private Path folder;

  private SqliteStore store;

  @Override
  protected ChangeLog open() {
    store = SqliteStore.open(folder, TestThreads::start);
    return new EmbeddedChangeLog(store, this::epoch, change -> change);
  }

  @Override
  protected void closeLog() throws Exception {
    super.closeLog();
    store.close();
  }

  @Override
  protected long add(String key, String value) {
    Operation put = new Operation.Put(key, value.getBytes(StandardCharsets.UTF_8));
    return ((Outcome.Committed) store.commit(new Transaction(List.of(), List.of(put)))).revision();
  }

  @Override
  protected void forgetBefore(long revision) {
    store.compact(revision);
  }

  @Override
  protected String epoch() {
    return "epoch-1";
  }
}
