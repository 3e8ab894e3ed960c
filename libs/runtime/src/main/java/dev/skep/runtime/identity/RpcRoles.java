package dev.skep.runtime.identity;

import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/** The table of all RPCs and who may call them. An RPC that is not in it may be called by nobody. */
public final class RpcRoles {
  /** The kinds of callers, as the table names them. */
  public enum Role {
    IN_PROCESS,
    WORKER,
    MANAGER,
    API_CLIENT,
    STRANGER
  }

  private static final Set<Role> NODES = EnumSet.of(Role.IN_PROCESS, Role.WORKER, Role.MANAGER);
  private static final Set<Role> MANAGERS = EnumSet.of(Role.IN_PROCESS, Role.MANAGER);
  private static final Set<Role> CLIENTS = EnumSet.of(Role.IN_PROCESS, Role.API_CLIENT);

  private static final Set<Role> JOINING = EnumSet.of(Role.IN_PROCESS, Role.WORKER, Role.MANAGER, Role.STRANGER);

  private static final Map<String, Set<Role>> TABLE =
      Map.ofEntries(
          Map.entry("skep.dispatcher.v1.Dispatcher/Session", NODES),
          Map.entry("skep.dispatcher.v1.Dispatcher/Heartbeat", NODES),
          Map.entry("skep.dispatcher.v1.Dispatcher/Assignments", NODES),
          Map.entry("skep.dispatcher.v1.Dispatcher/UpdateTaskStatus", NODES),
          Map.entry("skep.dispatcher.v1.Dispatcher/ReportNode", NODES),
          Map.entry("skep.dispatcher.v1.Dispatcher/Feed", NODES),
          Map.entry("skep.dispatcher.v1.Dispatcher/PublishLogs", NODES),
          Map.entry("skep.dispatcher.v1.Dispatcher/Ready", NODES),
          Map.entry("skep.dispatcher.v1.Dispatcher/Pause", NODES),
          Map.entry("skep.dispatcher.v1.Dispatcher/Leave", NODES),
          Map.entry("skep.certificates.v1.Certificates/Roots", JOINING),
          Map.entry("skep.certificates.v1.Certificates/Issue", JOINING),
          Map.entry("skep.certificates.v1.Admission/Admit", MANAGERS),
          Map.entry("skep.certificates.v1.Admission/Keys", EnumSet.of(Role.MANAGER)), // over mutual TLS, and in no other way
          Map.entry("skep.dispatcher.v1.Logs/Read", MANAGERS),
          Map.entry("skep.dispatcher.v1.Dispatchers/Follow", MANAGERS),
          Map.entry("skep.peer.v1.Peer/Watch", MANAGERS),
          Map.entry("skep.control.v1.Control/Get", CLIENTS),
          Map.entry("skep.control.v1.Control/List", CLIENTS),
          Map.entry("skep.control.v1.Control/Create", CLIENTS),
          Map.entry("skep.control.v1.Control/Update", CLIENTS),
          Map.entry("skep.control.v1.Control/Remove", CLIENTS),
          Map.entry("skep.control.v1.Control/Watch", CLIENTS),
          Map.entry("skep.control.v1.Control/GetRestore", CLIENTS),
          Map.entry("skep.control.v1.Control/ConfirmRestore", CLIENTS));

  private RpcRoles() {}

  /** All RPCs of the table, as {@code package.Service/Method}. */
  public static Set<String> rpcs() {
    return TABLE.keySet();
  }

  public static boolean allowed(String rpc, Caller caller) {
    return TABLE.getOrDefault(rpc, Set.of()).contains(roleOf(caller));
  }

  private static Role roleOf(Caller caller) {
    return switch (caller) {
      case Caller.InProcess _ -> Role.IN_PROCESS;
      case Caller.ApiClient _ -> Role.API_CLIENT;
      case Caller.Stranger _ -> Role.STRANGER;
      case Caller.Node node ->
          switch (node.role()) {
            case WORKER -> Role.WORKER;
            case MANAGER -> Role.MANAGER;
          };
    };
  }
}
