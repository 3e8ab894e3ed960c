package dev.skep.skepd.e2e;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every fault of a manager's host, to the leader and to another one. The figures that it prints are in docs/FAULTS.md. */
@Tag("long")
class ManagersFaultsTest extends ManagersOnHosts {
  enum Fault { KILL, FREEZE, CUT, RESTART, ETCD_FROZEN, ALL_PROCESSES_FROZEN }

  /** Every manager has users of its own in store and log: none of this may depend on one that is gone. */
  @Override
  List<String> more() {
    return List.of("--secure");
  }

  static Stream<Arguments> matrix() {
    return Stream.of(Fault.values()).flatMap(fault -> Stream.of(true, false).map(leads -> Arguments.of(fault, leads)));
  }

  @ParameterizedTest
  @MethodSource("matrix")
  void isSurvived(Fault fault, boolean leads) {
    int host = leads ? leader() : other();
    String name = fault + " of " + (leads ? "the leader's host" : "another manager's host") + " (node" + host + ")";
    switch (fault) {
      case KILL -> survived(name, host, Seen.DOWN, () -> lab.does("kill", host), () -> lab.does("start", host));
      case FREEZE -> {
        survived(name, host, Seen.DOWN, () -> lab.does("freeze", host), () -> lab.does("thaw", host));
        lab.asks(host); // awake, it serves as before
        create("--name", "awake", "--entrypoint", "sleep", "--stop-signal", "SIGKILL", ThreeNodes.IMAGE, "100000");
        lab.replicas("awake", "1/1");
      }
      case CUT -> survived(name, host, Seen.DOWN, () -> lab.does("cut", host), () -> lab.does("heal", host));
      case RESTART -> survived(name, host, Seen.READY, () -> lab.sh(host, "kill -9 $(cat /run/skep/skepd.pid)").succeeds(), () -> {});
      case ETCD_FROZEN -> survived(name, host, Seen.READY, () -> etcd("freeze", host), () -> etcd("thaw", host));
      case ALL_PROCESSES_FROZEN -> survived(name, host, Seen.DOWN, () -> {
        etcd("freeze", host);
        lab.does("freeze", host);
      }, () -> {
        etcd("thaw", host);
        lab.does("thaw", host);
      });
    }
  }

  private void etcd(String what, int host) {
    lab.skepLab("etcd", what, Integer.toString(host)).succeeds();
  }
}
