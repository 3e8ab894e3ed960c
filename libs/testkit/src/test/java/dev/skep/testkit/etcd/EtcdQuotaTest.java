package dev.skep.testkit.etcd;

import static dev.skep.testkit.etcd.Told.landed;
import static dev.skep.testkit.etcd.Told.put;
import static dev.skep.testkit.etcd.Told.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Backends;
import dev.skep.backend.Store;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Transaction;
import dev.skep.backend.StoreException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** etcd at its space quota. */
@Tag("engine")
class EtcdQuotaTest {
  @Test
  void atItsQuotaEtcdSaysWhatToDoAndGoesOnWhenThatIsDone() throws Exception {
    try (EtcdServer etcd = EtcdServer.start("--quota-backend-bytes=4000000");
        Store store = Backends.store("etcd://" + etcd.endpoint(), Told::start)) {
      Transaction large = new Transaction(List.of(), List.of(new Operation.Put("large", new byte[500_000])));
      StoreException full = null;
      for (int i = 0; full == null && i < 100; i++) {
        try {
          landed(store.commit(large));
        } catch (StoreException e) {
          full = e;
        }
      }
      assertThat(full).isNotNull();
      assertThat(full.full()).isTrue();
      assertThat(full.told()).startsWith("the store is full: ");
      assertThat(full).hasMessageContaining("etcdctl defrag").hasMessageContaining("etcdctl alarm disarm").hasMessageNotContaining("nobody knows");
      assertThatThrownBy(() -> store.commit(put("small", "1"))).isInstanceOf(StoreException.class).hasMessageContaining("space quota");
      assertThat(value(store, "small")).as("reads go on").isEqualTo("none");
      store.compact(store.revision());
      EtcdTool.run(etcd, "defrag");
      EtcdTool.run(etcd, "alarm", "disarm");
      landed(store.commit(put("small", "1")));
      assertThat(value(store, "small")).isEqualTo("1");
    }
  }
}
