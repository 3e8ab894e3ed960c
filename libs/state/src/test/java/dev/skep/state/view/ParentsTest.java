package dev.skep.state.view;

import static dev.skep.state.view.Cluster.NETWORK;
import static dev.skep.state.view.Cluster.NODE;
import static dev.skep.state.view.Cluster.SERVICE;
import static dev.skep.state.view.Cluster.TASK;
import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.state.Key;
import dev.skep.state.Parents;
import dev.skep.state.Row;
import dev.skep.state.RowKind;
import dev.skep.state.Rows;
import dev.skep.state.v1.NameRow;
import dev.skep.state.v1.RefRow;
import dev.skep.state.v1.SessionRow;
import java.util.List;
import org.junit.jupiter.api.Test;

class ParentsTest {
  @Test
  void everyKindOfRowIsInTheTable() {
    for (RowKind<?> kind : Rows.all()) {
      assertThat(Parents.mayOutlive(kind)).as(kind.toString()).isIn(true, false);
    }
  }

  @Test
  void nothingOfACompleteClusterIsAnOrphan() {
    Fixture fixture = named();
    assertThat(Parents.orphans(fixture.state())).isEmpty();
  }

  @Test
  void whoeverLosesAParentIsAnOrphan() {
    assertThat(orphans(named().delete(Rows.INTENT.key(TASK))))
        .containsExactlyInAnyOrder(Rows.ADDRESS.key(TASK), Rows.PLACEMENT.key(TASK), Rows.STATUS.key(TASK));
    assertThat(orphans(named().delete(Rows.NETWORK.key(NETWORK))))
        .containsExactlyInAnyOrder(Rows.POOL.key(NETWORK), Rows.GATEWAY.key(NODE, NETWORK), Rows.REF.key("network", NETWORK));
    assertThat(orphans(named().delete(Rows.NODE_SPEC.key(NODE))))
        .containsExactlyInAnyOrder(Rows.NODE_STATUS.key(NODE), Rows.GATEWAY.key(NODE, NETWORK), Rows.SESSION.key(NODE));
    assertThat(orphans(named().delete(Rows.SERVICE.key(SERVICE))))
        .containsExactlyInAnyOrder(
            Rows.template(SERVICE, 1), Rows.template(SERVICE, 2), Rows.ROLLOUT.key(SERVICE), Rows.ENDPOINT.key(SERVICE),
                Rows.INTENT.key(TASK),
            Rows.NAME.key("service", "web"), Rows.NAME.key("port", "tcp", "80"));
  }

  private static Fixture named() {
    return Cluster.complete()
        .put(Rows.NAME.key("service", "web"), NameRow.newBuilder().setId(SERVICE).build())
        .put(Rows.NAME.key("port", "tcp", "80"), NameRow.newBuilder().setId(SERVICE).build())
        .put(Rows.REF.key("network", NETWORK), RefRow.newBuilder().setCount(1).build())
        .put(Rows.SESSION.key(NODE), SessionRow.newBuilder().setNodeId(NODE).build());
  }

  private static List<Key<?>> orphans(Fixture fixture) {
    return Parents.orphans(fixture.state()).stream().<Key<?>>map(Row::key).toList();
  }
}
