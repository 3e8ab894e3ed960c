package dev.skep.state;

import com.google.protobuf.Message;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import java.util.List;

/** Which entries of the indexes a row stands in, so that a change of one row costs nothing for all others. */
final class Index {
  static final String WAITING = "waiting/";

  private Index() {}

  static String service(String serviceId) {
    return "service/" + serviceId + "/";
  }

  static String slot(String serviceId, String slot) {
    return "slot/" + serviceId + "/" + slot + "/";
  }

  static String node(String nodeId) {
    return "node/" + nodeId + "/";
  }

  static String failed(RowKind<?> kind) {
    return "failed/" + kind.prefix();
  }

  static List<String> entries(Key<?> key, Message value) {
    return switch (value) {
      case TaskIntentRow intent -> ofIntent(key.lastPart(), intent);
      case PlacementRow row -> row.getNodeId().isEmpty() ? failure(key) : List.of(node(row.getNodeId()) + key.lastPart());
      case TaskAddressRow row -> row.getError().isEmpty() ? List.of() : failure(key);
      case ServiceEndpointRow row -> row.getError().isEmpty() ? List.of() : failure(key);
      case NetworkPoolRow row -> row.getError().isEmpty() ? List.of() : failure(key);
      case NodeGatewayRow row -> row.getError().isEmpty() ? List.of() : failure(key);
      default -> List.of(); // not one of the indexed kinds
    };
  }

  private static List<String> ofIntent(String taskId, TaskIntentRow intent) {
    String service = service(intent.getServiceId()) + taskId;
    String slot = slot(intent.getServiceId(), TaskRecord.slotOf(intent)) + taskId;
    return intent.getDesired() == TaskState.TASK_READY ? List.of(service, slot, WAITING + taskId) : List.of(service, slot);
  }

  private static List<String> failure(Key<?> key) {
    return List.of("failed/" + key.path());
  }
}
