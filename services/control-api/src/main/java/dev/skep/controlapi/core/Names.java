package dev.skep.controlapi.core;

import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.v1.NameRow;
import java.util.Locale;

/** The rows that make names unique; case makes no difference to them. */
final class Names {
  private Names() {}

  static Key<NameRow> service(String name) {
    return Rows.NAME.key("service", name.toLowerCase(Locale.ROOT));
  }

  static Key<NameRow> network(String name) {
    return Rows.NAME.key("network", name.toLowerCase(Locale.ROOT));
  }
}
