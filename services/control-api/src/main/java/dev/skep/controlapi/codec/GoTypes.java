package dev.skep.controlapi.codec;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import java.util.Deque;
import java.util.Iterator;
import java.util.Map;

/** The Go types behind messages and fields, where Docker's error texts name them. Most are package swarm's own. */
final class GoTypes {
  private static final Map<String, String> MESSAGES =
      Map.ofEntries(
          Map.entry("ResourceLimit", "swarm.Limit"),
          Map.entry("HealthConfig", "container.HealthConfig"),
          Map.entry("Mount", "mount.Mount"),
          Map.entry("BindOptions", "mount.BindOptions"),
          Map.entry("VolumeOptions", "mount.VolumeOptions"),
          Map.entry("TmpfsOptions", "mount.TmpfsOptions"),
          Map.entry("Ulimit", "units.Ulimit"),
          Map.entry("ReferenceRuntime", "swarm.ConfigReferenceRuntimeTarget"),
          Map.entry("NetworkCreateRequest", "types.NetworkCreateRequest"),
          Map.entry("IPAM", "network.IPAM"),
          Map.entry("IPAMPool", "network.IPAMConfig"),
          Map.entry("NetworkReference", "network.ConfigReference"),
          Map.entry("SwarmSpec", "swarm.Spec"));

  /** Fields, as message.field, whose Go type is not the one that its proto type suggests. */
  private static final Map<String, String> FIELDS =
      Map.ofEntries(
          Map.entry("UpdateConfig.delay", "time.Duration"),
          Map.entry("UpdateConfig.monitor", "time.Duration"),
          Map.entry("EndpointSpec.mode", "swarm.ResolutionMode"),
          Map.entry("PortConfig.protocol", "swarm.PortConfigProtocol"),
          Map.entry("PortConfig.publish_mode", "swarm.PortConfigPublishMode"),
          Map.entry("RestartPolicy.condition", "swarm.RestartPolicyCondition"),
          Map.entry("RestartPolicy.delay", "time.Duration"),
          Map.entry("RestartPolicy.window", "time.Duration"),
          Map.entry("TaskSpec.runtime", "swarm.RuntimeType"),
          Map.entry("ContainerSpec.stop_grace_period", "time.Duration"),
          Map.entry("ContainerSpec.isolation", "container.Isolation"),
          Map.entry("HealthConfig.interval", "time.Duration"),
          Map.entry("HealthConfig.timeout", "time.Duration"),
          Map.entry("HealthConfig.start_period", "time.Duration"),
          Map.entry("HealthConfig.start_interval", "time.Duration"),
          Map.entry("HealthConfig.retries", "int"),
          Map.entry("Mount.type", "mount.Type"),
          Map.entry("Mount.consistency", "mount.Consistency"),
          Map.entry("BindOptions.propagation", "mount.Propagation"),
          Map.entry("VolumeOptions.driver_config", "mount.Driver"),
          Map.entry("TmpfsOptions.mode", "fs.FileMode"),
          Map.entry("ReferenceFile.mode", "fs.FileMode"),
          Map.entry("SecretReference.file", "swarm.SecretReferenceFileTarget"),
          Map.entry("ConfigReference.file", "swarm.ConfigReferenceFileTarget"),
          Map.entry("NodeSpec.role", "swarm.NodeRole"),
          Map.entry("NodeSpec.availability", "swarm.NodeAvailability"),
          Map.entry("InitRequest.availability", "swarm.NodeAvailability"),
          Map.entry("JoinRequest.availability", "swarm.NodeAvailability"),
          Map.entry("RaftConfig.election_tick", "int"),
          Map.entry("RaftConfig.heartbeat_tick", "int"),
          Map.entry("DispatcherConfig.heartbeat_period", "time.Duration"),
          Map.entry("CAConfig.node_cert_expiry", "time.Duration"),
          Map.entry("CAConfig.external_cas", "*swarm.ExternalCA"),
          Map.entry("ContainerSpec.secrets", "*swarm.SecretReference"),
          Map.entry("ContainerSpec.configs", "*swarm.ConfigReference"),
          Map.entry("ContainerSpec.ulimits", "*units.Ulimit"));

  private GoTypes() {}

  static boolean isNumber(FieldDescriptor field) {
    return switch (field.getJavaType()) {
      case INT, LONG, FLOAT, DOUBLE -> true;
      case BOOLEAN, STRING, BYTE_STRING, ENUM, MESSAGE -> false;
    };
  }

  static String ofField(FieldDescriptor field) {
    if (field.isMapField()) {
      return "map[string]" + one(field.getMessageType().findFieldByNumber(2));
    }
    return field.isRepeated() ? "[]" + one(field) : one(field);
  }

  /** The type of one element; Go names what a pointer points to. */
  static String ofElement(FieldDescriptor field) {
    String type = one(field);
    return type.startsWith("*") ? type.substring(1) : type;
  }

  /** The struct that declares the last field of the path. */
  static String shortName(Deque<FieldDescriptor> path) {
    Iterator<FieldDescriptor> backwards = path.descendingIterator();
    backwards.next();
    FieldDescriptor owner = backwards.next();
    String type = owner.isMapField() ? one(owner.getMessageType().findFieldByNumber(2)) : ofElement(owner);
    return type.substring(type.lastIndexOf('.') + 1);
  }

  private static String one(FieldDescriptor field) {
    String named = FIELDS.get(field.getContainingType().getName() + "." + field.getName());
    if (named != null) {
      return named;
    }
    if (field.getJavaType() == JavaType.MESSAGE) {
      String name = field.getMessageType().getName();
      return name.equals("Timestamp") ? "time.Time" : MESSAGES.getOrDefault(name, "swarm." + name);
    }
    return switch (field.getType()) {
      case STRING -> "string";
      case BOOL -> "bool";
      case BYTES -> "[]uint8";
      case FLOAT -> "float32";
      case INT64, SINT64, SFIXED64 -> "int64";
      case UINT64, FIXED64 -> "uint64";
      case INT32, SINT32, SFIXED32 -> "int32";
      case UINT32, FIXED32 -> "uint32";
      case DOUBLE, ENUM, GROUP, MESSAGE -> throw new IllegalStateException("the API model has no " + field.getType());
    };
  }
}
