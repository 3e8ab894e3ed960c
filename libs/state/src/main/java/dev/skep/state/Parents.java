package dev.skep.state;

import dev.skep.state.v1.NameRow;
import dev.skep.state.v1.TaskIntentRow;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The parent law: a row is put only under the guard that its parents exist, its writer deletes it when one is gone, and
 * at rest no row lacks a parent. Each parent is found from the row alone.
 */
public final class Parents {
  private record Law(RowKind<?> kind, boolean outlives, Function<Row<?>, List<Key<?>>> parents) {}

  private static final List<Law> TABLE =
      List.of(
          root(Rows.CLUSTER),
          root(Rows.SERVICE),
          root(Rows.NETWORK),
          root(Rows.NODE_SPEC),
          root(Rows.SEALED),
          root(Rows.LEADER),
          root(Rows.PEER),
          child(Rows.TEMPLATE, row -> List.of(Rows.SERVICE.key(part(row, 0)))),
          child(Rows.NAME, Parents::named),
          child(Rows.REF, row -> object(part(row, 0), part(row, 1))),
          child(Rows.ROLLOUT, row -> List.of(Rows.SERVICE.key(part(row, 0)))),
          child(Rows.ENDPOINT, row -> List.of(Rows.SERVICE.key(part(row, 0)))),
          child(Rows.PLACEMENT, Parents::task),
          child(Rows.STATUS, Parents::task),
          child(Rows.NODE_STATUS, Parents::node),
          child(Rows.SESSION, Parents::node),
          // A container has to stop before its task is forgotten.
          outliving(Rows.INTENT, row -> List.of(Rows.SERVICE.key(((TaskIntentRow) row.value()).getServiceId()))),
          // An address, a subnet and a gateway stay taken until the node that uses them has let go.
          outliving(Rows.ADDRESS, Parents::task),
          outliving(Rows.POOL, row -> List.of(Rows.NETWORK.key(part(row, 0)))),
          outliving(Rows.GATEWAY, row -> List.of(Rows.NODE_SPEC.key(part(row, 0)), Rows.NETWORK.key(part(row, 1)))));

  private static final Map<RowKind<?>, Law> LAWS = new HashMap<>();

  static {
    TABLE.forEach(law -> LAWS.put(law.kind(), law));
  }

  private Parents() {}

  /** The rows without which this one must not be put; empty for what a user made. */
  public static List<Key<?>> of(Row<?> row) {
    return LAWS.get(row.key().kind()).parents().apply(row);
  }

  /** Rows of this kind stay for a while after a parent is gone: until something in the world has ended. */
  public static boolean mayOutlive(RowKind<?> kind) {
    return LAWS.get(kind).outlives();
  }

  /** Rows that lack a parent, in key order. At rest there are none. */
  public static List<Row<?>> orphans(ClusterState state) {
    List<Row<?>> orphans = new ArrayList<>();
    for (RowKind<?> kind : Rows.all()) {
      for (Row<?> row : state.rows(kind)) {
        if (!of(row).stream().allMatch(state::has)) {
          orphans.add(row);
        }
      }
    }
    return orphans;
  }

  private static Law root(RowKind<?> kind) {
    return new Law(kind, false, _ -> List.of());
  }

  private static Law child(RowKind<?> kind, Function<Row<?>, List<Key<?>>> parents) {
    return new Law(kind, false, parents);
  }

  private static Law outliving(RowKind<?> kind, Function<Row<?>, List<Key<?>>> parents) {
    return new Law(kind, true, parents);
  }

  private static List<Key<?>> task(Row<?> row) {
    return List.of(Rows.INTENT.key(part(row, 0)));
  }

  private static List<Key<?>> node(Row<?> row) {
    return List.of(Rows.NODE_SPEC.key(part(row, 0)));
  }

  /** name/kind/name, or name/port/protocol/number, which a service holds. */
  private static List<Key<?>> named(Row<?> row) {
    String kind = part(row, 0);
    return object(kind.equals("port") ? "service" : kind, ((NameRow) row.value()).getId());
  }

  /** Kinds of objects that have no rows yet have no parent to miss. */
  private static List<Key<?>> object(String kind, String id) {
    return switch (kind) {
      case "service" -> List.of(Rows.SERVICE.key(id));
      case "network" -> List.of(Rows.NETWORK.key(id));
      case "node" -> List.of(Rows.NODE_SPEC.key(id));
      default -> List.of();
    };
  }

  private static String part(Row<?> row, int index) {
    return row.key().parts()[index];
  }
}
