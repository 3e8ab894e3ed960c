package dev.skep.state.view;

import dev.skep.api.v1.DNSConfig;
import dev.skep.api.v1.Endpoint;
import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.Placement;
import dev.skep.api.v1.ResourceRequirements;
import dev.skep.api.v1.RestartPolicy;
import dev.skep.api.v1.Service;
import dev.skep.api.v1.ServiceSpec;
import dev.skep.api.v1.ServiceStatus;
import dev.skep.api.v1.TaskSpec;
import dev.skep.api.v1.UpdateConfig;
import dev.skep.api.v1.UpdateStatus;
import dev.skep.state.ClusterState;
import dev.skep.state.EffectiveSpec;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.RolloutRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.ServiceRequest;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TemplateRow;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A service: what is in force of the user's request, how far it has come, and where it answers. */
public final class ServiceView {
  private static final long SECOND = 1_000_000_000L; // the API's durations are nanoseconds

  /** What an absent UpdateConfig or RollbackConfig means. */
  public static final UpdateConfig DEFAULT_UPDATE =
      UpdateConfig.newBuilder().setParallelism(1).setFailureAction("pause").setMonitor(5 * SECOND).setOrder("stop-first").build();

  private static final RestartPolicy DEFAULT_RESTART =
      RestartPolicy.newBuilder().setCondition("any").setDelay(5 * SECOND).setMaxAttempts(0).build();
  private static final long DEFAULT_STOP_GRACE = 10 * SECOND;

  private ServiceView() {}

  /** As the user wrote it: defaults stay absent. */
  public static Optional<Service> of(ClusterState state, String id) {
    EffectiveSpec spec = EffectiveSpec.of(state, id);
    return spec == null ? Optional.empty() : Optional.of(service(state, spec).build());
  }

  /** With {@code insertDefaults=true}: what is absent in the spec is filled in, in the previous one never. */
  public static Optional<Service> withDefaults(ClusterState state, String id) {
    return of(state, id).map(service -> service.toBuilder().setSpec(defaulted(service.getSpec())).build());
  }

  /** All services, in id order. */
  public static List<Service> all(ClusterState state) {
    return list(state, false);
  }

  /** All services with their ServiceStatus, for {@code status=true}. */
  public static List<Service> allWithStatus(ClusterState state) {
    return list(state, true);
  }

  private static List<Service> list(ClusterState state, boolean status) {
    List<Service> all = new ArrayList<>();
    for (Row<ServiceRow> row : state.rows(Rows.SERVICE)) {
      EffectiveSpec spec = EffectiveSpec.of(state, row.key().lastPart());
      Service.Builder service = service(state, spec);
      if (status) {
        service.setServiceStatus(status(state, spec));
      }
      all.add(service.build());
    }
    return all;
  }

  private static Service.Builder service(ClusterState state, EffectiveSpec spec) {
    String id = spec.serviceId();
    ServiceRow row = spec.serviceRow().value();
    Row<RolloutRow> rollout = state.row(Rows.ROLLOUT.key(id));
    Row<ServiceEndpointRow> endpoint = state.row(Rows.ENDPOINT.key(id));
    Service.Builder service =
        Service.newBuilder()
            .setId(id)
            .setVersion(Join.version(spec.serviceRow(), spec.templateRow(), rollout, endpoint))
            .setCreatedAt(row.getCreatedAt())
            .setUpdatedAt(row.getUpdatedAt())
            .setSpec(spec(spec.request(), spec.template()))
            .setEndpoint(endpoint(state, spec, endpoint));
    previous(state, row, rollout).ifPresent(service::setPreviousSpec);
    if (speaksOfToday(row, rollout) && !rollout.value().getState().isEmpty()) {
      service.setUpdateStatus(updateStatus(rollout.value()));
    }
    return service;
  }

  private static ServiceSpec spec(ServiceRequest request, TemplateRow template) {
    TaskSpec task = template.getTask();
    ServiceSpec.Builder spec =
        ServiceSpec.newBuilder()
            .setName(request.getName())
            .putAllLabels(request.getLabelsMap())
            .setTaskTemplate(task.getRuntime().isEmpty() ? task.toBuilder().setRuntime("container").build() : task)
            .setMode(request.getMode());
    if (request.hasUpdateConfig()) {
      spec.setUpdateConfig(request.getUpdateConfig());
    }
    if (request.hasRollbackConfig()) {
      spec.setRollbackConfig(request.getRollbackConfig());
    }
    if (template.hasEndpoint()) {
      spec.setEndpointSpec(template.getEndpoint());
    }
    return spec.build();
  }

  /** None after an automatic rollback: what it fell back to is in force now. */
  private static Optional<ServiceSpec> previous(ClusterState state, ServiceRow row, Row<RolloutRow> rollout) {
    if (!row.hasPrevious() || speaksOfToday(row, rollout) && rollout.value().getFallbackTemplate() != 0) {
      return Optional.empty();
    }
    TemplateRow template = state.value(Rows.template(row.getId(), row.getPrevious().getTemplate()));
    return template == null ? Optional.empty() : Optional.of(spec(row.getPrevious(), template));
  }

  private static boolean speaksOfToday(ServiceRow row, Row<RolloutRow> rollout) {
    return rollout != null && rollout.value().getGeneration() == row.getGeneration();
  }

  private static UpdateStatus updateStatus(RolloutRow rollout) {
    UpdateStatus.Builder status = UpdateStatus.newBuilder().setState(rollout.getState()).setMessage(rollout.getMessage());
    if (rollout.hasStartedAt()) {
      status.setStartedAt(rollout.getStartedAt());
    }
    if (rollout.hasCompletedAt()) {
      status.setCompletedAt(rollout.getCompletedAt());
    }
    return status.build();
  }

  /** Empty until the allocator has spoken. Its spec is the one that the addresses were computed for. */
  private static Endpoint endpoint(ClusterState state, EffectiveSpec spec, Row<ServiceEndpointRow> row) {
    if (row == null) {
      return Endpoint.getDefaultInstance();
    }
    TemplateRow computedFor = state.value(Rows.template(spec.serviceId(), row.value().getTemplate()));
    EndpointSpec asked = (computedFor == null ? spec.template() : computedFor).getEndpoint();
    return Endpoint.newBuilder().setSpec(asked).addAllPorts(row.value().getPortsList()).addAllVirtualIps(row.value().getVirtualIpsList())
        .build();
  }

  /** The counts of {@code service ls}; empty when the service is gone. */
  public static Optional<ServiceStatus> status(ClusterState state, String id) {
    return Optional.ofNullable(EffectiveSpec.of(state, id)).map(spec -> status(state, spec));
  }

  private static ServiceStatus status(ClusterState state, EffectiveSpec spec) {
    long running = 0;
    long desired = 0;
    for (TaskRecord task : TaskRecord.ofService(state, spec.serviceId())) {
      // A dead node's last word was "running"; its tasks do not count.
      if (task.observed() == TaskState.TASK_RUNNING && !onDeadNode(state, task)) {
        running++;
      }
      if (task.desired() == TaskState.TASK_RUNNING) {
        desired++;
      }
    }
    return ServiceStatus.newBuilder().setRunningTasks(running).setDesiredTasks(spec.global() ? desired : spec.replicas()).build();
  }

  private static boolean onDeadNode(ClusterState state, TaskRecord task) {
    NodeStatusRow node = task.nodeId().isEmpty() ? null : state.value(Rows.NODE_STATUS.key(task.nodeId()));
    return node != null && node.getState().equals("down");
  }

  private static ServiceSpec defaulted(ServiceSpec spec) {
    ServiceSpec.Builder full = spec.toBuilder();
    TaskSpec.Builder task = full.getTaskTemplateBuilder();
    if (task.hasContainerSpec()) {
      if (!task.getContainerSpec().hasStopGracePeriod()) {
        task.getContainerSpecBuilder().setStopGracePeriod(DEFAULT_STOP_GRACE);
      }
      if (!task.getContainerSpec().hasDnsConfig()) {
        task.getContainerSpecBuilder().setDnsConfig(DNSConfig.getDefaultInstance());
      }
    }
    if (!task.hasResources()) {
      task.setResources(ResourceRequirements.getDefaultInstance());
    }
    if (!task.hasRestartPolicy()) {
      task.setRestartPolicy(DEFAULT_RESTART);
    } else if (!task.getRestartPolicy().hasDelay()) {
      task.getRestartPolicyBuilder().setDelay(DEFAULT_RESTART.getDelay());
    }
    if (!task.hasPlacement()) {
      task.setPlacement(Placement.getDefaultInstance());
    }
    full.setUpdateConfig(defaulted(spec.hasUpdateConfig(), spec.getUpdateConfig()));
    full.setRollbackConfig(defaulted(spec.hasRollbackConfig(), spec.getRollbackConfig()));
    return full.build();
  }

  private static UpdateConfig defaulted(boolean present, UpdateConfig config) {
    if (!present) {
      return DEFAULT_UPDATE;
    }
    return config.getMonitor() != 0 ? config : config.toBuilder().setMonitor(DEFAULT_UPDATE.getMonitor()).build();
  }
}
