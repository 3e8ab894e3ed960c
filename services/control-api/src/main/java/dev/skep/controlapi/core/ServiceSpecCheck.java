package dev.skep.controlapi.core;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.NetworkAttachmentConfig;
import dev.skep.api.v1.PortConfig;
import dev.skep.api.v1.ResourceRequirements;
import dev.skep.api.v1.RestartPolicy;
import dev.skep.api.v1.ServiceMode;
import dev.skep.api.v1.ServiceSpec;
import dev.skep.api.v1.UpdateConfig;
import dev.skep.state.ClusterState;
import dev.skep.state.Constraint;
import dev.skep.state.Rows;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.ServiceRow;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** All that swarm's manager checks about a service's spec, in its order and its words. */
public final class ServiceSpecCheck {
  /** More replicas than this are refused, so that a slip of the finger does not fill the store. */
  public static final long MAX_REPLICAS = 1_000_000;

  private static final int MAX_NAME = 63;
  private static final long MIN_NANO_CPUS = 1_000_000;
  private static final long MIN_MEMORY_BYTES = 4L * 1024 * 1024;

  private ServiceSpecCheck() {}

  /**
   * The stored form of a spec that is accepted for a new service ({@code selfId} empty) or for an update of this one.
   * The name of a new service is not compared with others: it is claimed by a row, and its writer knows who was first.
   */
  public static Answer<ServiceSpec> accept(ClusterState state, ServiceSpec sent, String selfId) {
    return Normalised.of(state, sent)
        .then(
            spec ->
                check(spec)
                    .or(() -> NotBuilt.inService(spec))
                    .or(() -> networks(state, spec))
                    .or(() -> PortConflicts.check(state, spec.getEndpointSpec(), selfId))
                    .<Answer<ServiceSpec>>map(Answer::refused)
                    .orElseGet(() -> Answer.ok(spec)));
  }

  /** What an update may not change. */
  public static Optional<ApiError> change(ServiceRow now, ServiceSpec asked) {
    if (!now.getCurrent().getName().equals(asked.getName())) {
      return Optional.of(ApiError.renaming());
    }
    return kind(now.getCurrent().getMode()) == kind(asked.getMode()) ? Optional.empty() : Optional.of(ApiError.modeChange());
  }

  private static ServiceModeKind kind(ServiceMode mode) {
    if (mode.hasGlobal()) {
      return ServiceModeKind.GLOBAL;
    }
    if (mode.hasReplicatedJob()) {
      return ServiceModeKind.REPLICATED_JOB;
    }
    return mode.hasGlobalJob() ? ServiceModeKind.GLOBAL_JOB : ServiceModeKind.REPLICATED;
  }

  private enum ServiceModeKind {
    REPLICATED,
    GLOBAL,
    REPLICATED_JOB,
    GLOBAL_JOB
  }

  /** The checks that need nothing but the spec, which is in its stored form. */
  public static Optional<ApiError> check(ServiceSpec spec) {
    return name(spec.getName())
        .or(() -> resources(spec.getTaskTemplate().getResources()))
        .or(() -> restart(spec.getTaskTemplate().getRestartPolicy()))
        .or(() -> constraints(spec.getTaskTemplate().getPlacement().getConstraintsList()))
        .or(() -> ContainerCheck.check(spec))
        .or(() -> mode(spec))
        .or(() -> update(spec.getUpdateConfig()))
        .or(() -> update(spec.getRollbackConfig()))
        .or(() -> endpoint(spec.getEndpointSpec()));
  }

  private static Optional<ApiError> name(String name) {
    if (name.isEmpty()) {
      return invalid("meta: name must be provided");
    }
    if (!dnsName(name)) {
      return invalid("name must be valid as a DNS name component");
    }
    return name.length() > MAX_NAME ? invalid("name must be 63 characters or fewer") : Optional.empty();
  }

  /** Letters and digits, with dashes and underscores between them. */
  private static boolean dnsName(String name) {
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean plain = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
      boolean inside = i > 0 && i < name.length() - 1 && (c == '-' || c == '_');
      if (!plain && !inside) {
        return false;
      }
    }
    return true;
  }

  /** Swarm's manager passes these refusals on without a code, which is why they answer 500. */
  private static Optional<ApiError> constraints(List<String> constraints) {
    try {
      Constraint.parse(constraints);
      return Optional.empty();
    } catch (Constraint.Malformed e) {
      return Optional.of(ApiError.rpc(ApiError.Code.UNKNOWN, e.getMessage()));
    }
  }

  private static Optional<ApiError> resources(ResourceRequirements resources) {
    return amounts(resources.getLimits().getNanoCpus(), resources.getLimits().getMemoryBytes())
        .or(() -> amounts(resources.getReservations().getNanoCpus(), resources.getReservations().getMemoryBytes()));
  }

  private static Optional<ApiError> amounts(long nanoCpus, long memoryBytes) {
    if (nanoCpus != 0 && nanoCpus < MIN_NANO_CPUS) {
      return invalid("invalid cpu value " + GoText.shortest(nanoCpus) + ": Must be at least " + GoText.shortest(MIN_NANO_CPUS));
    }
    return memoryBytes != 0 && memoryBytes < MIN_MEMORY_BYTES ? invalid("invalid memory value " + memoryBytes + ": Must be at least 4MiB")
        : Optional.empty();
  }

  private static Optional<ApiError> restart(RestartPolicy restart) {
    if (restart.getDelay() < 0) {
      return invalid("TaskSpec: restart-delay cannot be negative");
    }
    return restart.getWindow() < 0 ? invalid("TaskSpec: restart-window cannot be negative") : Optional.empty();
  }

  private static Optional<ApiError> mode(ServiceSpec spec) {
    long replicas = spec.getMode().getReplicated().getReplicas();
    if (replicas < 0) {
      return invalid("Number of replicas must be non-negative");
    }
    if (replicas > MAX_REPLICAS) {
      return invalid("Number of replicas must not exceed " + MAX_REPLICAS);
    }
    boolean job = spec.getMode().hasReplicatedJob() || spec.getMode().hasGlobalJob();
    return job && spec.hasUpdateConfig() ? invalid("Jobs may not have an update config") : Optional.empty();
  }

  private static Optional<ApiError> update(UpdateConfig config) {
    if (config.getDelay() < 0) {
      return invalid("TaskSpec: update-delay cannot be negative");
    }
    if (config.getMonitor() < 0) {
      return invalid("TaskSpec: update-monitor cannot be negative");
    }
    float ratio = config.getMaxFailureRatio();
    return ratio < 0 || ratio > 1 ? invalid("TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1") : Optional.empty();
  }

  private static Optional<ApiError> endpoint(EndpointSpec endpoint) {
    Set<String> published = new HashSet<>();
    for (PortConfig port : endpoint.getPortsList()) {
      // One address per task leaves nothing for the ingress to balance behind.
      if (endpoint.getMode().equals("dnsrr") && port.getPublishMode().equals("ingress")) {
        return invalid("EndpointSpec: port published with ingress mode can't be used with dnsrr mode");
      }
      if (port.getTargetPort() < 0 || port.getTargetPort() > 65535 || port.getPublishedPort() < 0 || port.getPublishedPort() > 65535) {
        return invalid("EndpointSpec: port numbers must be between 0 and 65535");
      }
      if (port.getTargetPort() == 0) {
        return invalid("EndpointSpec: target port must be provided");
      }
      if (port.getPublishedPort() != 0 && !published.add(port.getPublishedPort() + "/" + port.getProtocol())) {
        return invalid("EndpointSpec: duplicate published ports provided");
      }
    }
    return Optional.empty();
  }

  private static Optional<ApiError> networks(ClusterState state, ServiceSpec spec) {
    Set<String> seen = new HashSet<>();
    for (NetworkAttachmentConfig attachment : spec.getTaskTemplate().getNetworksList()) {
      NetworkRow network = state.value(Rows.NETWORK.key(attachment.getTarget()));
      if (network != null && network.getIngress()) {
        return invalid("Service cannot be explicitly attached to the ingress network " + GoText.quoted(network.getName()));
      }
      if (!seen.add(attachment.getTarget())) {
        return invalid(
            "Service is attached to the network " + GoText.quoted(network == null ? attachment.getTarget() : network.getName()) + " twice");
      }
    }
    return Optional.empty();
  }

  private static Optional<ApiError> invalid(String text) {
    return Optional.of(ApiError.invalidArgument(text));
  }
}
