package dev.skep.scheduler.core;

import dev.skep.api.v1.Mount;
import dev.skep.api.v1.Platform;
import dev.skep.api.v1.PortConfig;
import dev.skep.api.v1.Resources;
import dev.skep.api.v1.TaskSpec;
import dev.skep.state.Constraint;
import dev.skep.state.v1.TemplateRow;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What the tasks of one template ask of a node. All tasks of a template ask for the same. */
record Demand(
    String serviceId,
    long template,
    long nanoCpus,
    long memoryBytes,
    Map<String, Long> generic,
    List<String> logDrivers,
    List<String> volumeDrivers,
    List<Constraint> constraints,
    List<Platform> platforms,
    List<String> hostPorts,
    long maxReplicas,
    List<String> spread) {

  static Demand of(TemplateRow template) {
    TaskSpec task = template.getTask();
    Resources reserved = task.getResources().getReservations();
    Map<String, Long> generic = new HashMap<>();
    for (var resource : reserved.getGenericResourcesList()) {
      if (resource.hasDiscreteResourceSpec()) {
        generic.merge(resource.getDiscreteResourceSpec().getKind(), resource.getDiscreteResourceSpec().getValue(), Long::sum);
      }
    }
    return new Demand(
        template.getServiceId(),
        template.getNumber(),
        reserved.getNanoCpus(),
        reserved.getMemoryBytes(),
        generic,
        logDrivers(task),
        volumeDrivers(task),
        constraints(task),
        task.getPlacement().getPlatformsList(),
        template.getEndpoint().getPortsList().stream().filter(Demand::onHost).map(Demand::portName).toList(),
        task.getPlacement().getMaxReplicas(),
        task.getPlacement().getPreferencesList().stream()
            .map(preference -> preference.getSpread().getSpreadDescriptor())
            .filter(descriptor -> !descriptor.isEmpty())
            .toList());
  }

  boolean reserves() {
    return nanoCpus > 0 || memoryBytes > 0 || !generic.isEmpty();
  }

  private static List<String> logDrivers(TaskSpec task) {
    String name = task.getLogDriver().getName();
    return name.isEmpty() || name.equals("none") ? List.of() : List.of(name);
  }

  private static List<String> volumeDrivers(TaskSpec task) {
    List<String> drivers = new ArrayList<>();
    for (Mount mount : task.getContainerSpec().getMountsList()) {
      String name = mount.getVolumeOptions().getDriverConfig().getName();
      if (mount.getType().equals("volume") && !name.isEmpty() && !name.equals("local")) {
        drivers.add(name);
      }
    }
    return drivers;
  }

  /** Constraints were checked when the service was created; one that cannot be read asks for nothing, as in swarm. */
  private static List<Constraint> constraints(TaskSpec task) {
    try {
      return Constraint.parse(task.getPlacement().getConstraintsList());
    } catch (Constraint.Malformed e) {
      return List.of();
    }
  }

  private static boolean onHost(PortConfig port) {
    return port.getPublishMode().equals("host") && port.getPublishedPort() != 0;
  }

  private static String portName(PortConfig port) {
    String protocol = port.getProtocol().isEmpty() ? "tcp" : port.getProtocol().toLowerCase(Locale.ROOT);
    return protocol + "/" + port.getPublishedPort();
  }
}
