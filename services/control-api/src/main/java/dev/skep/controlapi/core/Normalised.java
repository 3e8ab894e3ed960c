package dev.skep.controlapi.core;

import dev.skep.api.v1.BindOptions;
import dev.skep.api.v1.ContainerSpec;
import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.Mount;
import dev.skep.api.v1.NetworkAttachmentConfig;
import dev.skep.api.v1.PortConfig;
import dev.skep.api.v1.ReplicatedJob;
import dev.skep.api.v1.ReplicatedService;
import dev.skep.api.v1.ResourceRequirements;
import dev.skep.api.v1.RestartPolicy;
import dev.skep.api.v1.ServiceMode;
import dev.skep.api.v1.ServiceSpec;
import dev.skep.api.v1.TaskSpec;
import dev.skep.api.v1.UpdateConfig;
import dev.skep.state.ClusterState;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * The one form in which a request is stored: words in lower case, what Docker's manager fills in filled in, networks by
 * id. An unchanged stack, posted again, comes out equal. The words of enumerations are checked here, as in Docker, where
 * these refusals come without the manager's prefix.
 */
public final class Normalised {
  private static final Set<String> CONDITIONS = Set.of("none", "on-failure", "any");
  private static final Set<String> MOUNT_TYPES = Set.of("bind", "volume", "tmpfs", "npipe", "cluster", "image");
  private static final Set<String> PROPAGATIONS = Set.of("rprivate", "private", "rslave", "slave", "rshared", "shared");
  private static final Set<String> CONSISTENCIES = Set.of("default", "consistent", "cached", "delegated");
  private static final Set<String> FAILURE_ACTIONS = Set.of("pause", "continue", "rollback");
  private static final Set<String> ORDERS = Set.of("stop-first", "start-first");
  private static final Set<String> SECCOMP_MODES = Set.of("default", "unconfined", "custom");
  private static final Set<String> APP_ARMOR_MODES = Set.of("default", "disabled");
  private static final Set<String> PROTOCOLS = Set.of("tcp", "udp", "sctp");

  /** Carries a refusal out of nested steps; it does not leave this class. */
  private static final class Refusal extends Exception {
    private static final long serialVersionUID = 1;
    private final transient ApiError error;

    Refusal(ApiError error) {
      super(null, null, false, false);
      this.error = error;
    }

    ApiError error() {
      return error;
    }
  }

  private Normalised() {}

  /** The stored form of what the user sent, or why it has none. */
  public static Answer<ServiceSpec> of(ClusterState state, ServiceSpec sent) {
    try {
      ServiceSpec.Builder spec = sent.toBuilder().clearNetworks();
      spec.setTaskTemplate(task(state, sent));
      spec.setMode(mode(sent.getMode()));
      if (sent.hasUpdateConfig()) {
        spec.setUpdateConfig(update(sent.getUpdateConfig()));
      }
      if (sent.hasRollbackConfig()) {
        spec.setRollbackConfig(update(sent.getRollbackConfig()));
      }
      if (sent.hasEndpointSpec()) {
        spec.setEndpointSpec(endpoint(sent.getEndpointSpec()));
      }
      return Answer.ok(spec.build());
    } catch (Refusal refusal) {
      return Answer.refused(refusal.error());
    }
  }

  /**
   * Whether two stored forms make the same tasks: absent and empty mean the same, and a service without an endpoint spec
   * has a virtual address.
   */
  public static boolean sameTasks(TaskSpec task, EndpointSpec endpoint, TaskSpec otherTask, EndpointSpec otherEndpoint) {
    return canonical(task).equals(canonical(otherTask)) && canonical(endpoint).equals(canonical(otherEndpoint));
  }

  /** {@link #sameTasks} of two services' specs. */
  public static boolean sameTasks(ServiceSpec one, ServiceSpec other) {
    return sameTasks(one.getTaskTemplate(), one.getEndpointSpec(), other.getTaskTemplate(), other.getEndpointSpec());
  }

  private static EndpointSpec canonical(EndpointSpec endpoint) {
    return endpoint.getMode().isEmpty() ? endpoint.toBuilder().setMode("vip").build() : endpoint;
  }

  private static TaskSpec canonical(TaskSpec task) {
    TaskSpec.Builder spec = task.toBuilder().clearRuntime();
    ResourceRequirements.Builder resources = task.getResources().toBuilder();
    if (resources.getLimits().getSerializedSize() == 0) {
      resources.clearLimits();
    }
    if (resources.getReservations().getSerializedSize() == 0) {
      resources.clearReservations();
    }
    spec.setResources(resources);
    spec.setPlacement(task.getPlacement());
    ContainerSpec.Builder container = task.getContainerSpec().toBuilder();
    container.setDnsConfig(container.getDnsConfig());
    container.setPrivileges(container.getPrivileges());
    if (container.getIsolation().isEmpty()) {
      container.setIsolation("default");
    }
    return spec.setContainerSpec(container).build();
  }

  private static TaskSpec task(ClusterState state, ServiceSpec sent) throws Refusal {
    TaskSpec.Builder task = sent.getTaskTemplate().toBuilder();
    List<NetworkAttachmentConfig> networks =
        task.getNetworksCount() > 0 ? sent.getTaskTemplate().getNetworksList() : sent.getNetworksList(); // the older place
    task.clearNetworks();
    for (NetworkAttachmentConfig network : networks) {
      task.addNetworks(network.toBuilder().setTarget(networkId(state, network.getTarget())));
    }
    switch (task.getRuntime()) {
      case "", "container" -> {
        if (!task.hasContainerSpec()) {
          throw badWord("mismatched Runtime and *Spec fields");
        }
        // The API shows it in services and not in tasks; the view knows where.
        task.clearRuntime();
      }
      case "plugin" ->
          throw new Refusal(ApiError.notBuilt("runtime \"plugin\"", "install the plugin on each node with docker plugin install"));
      default -> throw badWord("unsupported runtime");
    }
    task.setContainerSpec(container(task.getContainerSpec()));
    if (task.hasRestartPolicy()) {
      task.setRestartPolicy(restart(task.getRestartPolicy()));
    }
    return task.build();
  }

  private static String networkId(ClusterState state, String target) throws Refusal {
    return switch (References.network(state, target)) {
      case Answer.Ok<String> id -> id.value();
      case Answer.Refused<String> refused -> {
        Optional<ApiError> predefined = NotBuilt.predefinedNetwork(target);
        throw new Refusal(predefined.orElse(refused.error()));
      }
    };
  }

  private static ContainerSpec container(ContainerSpec sent) throws Refusal {
    ContainerSpec.Builder container = sent.toBuilder();
    container.setIsolation(sent.getIsolation().isEmpty() ? "default" : lower(sent.getIsolation()));
    if (sent.getPrivileges().hasSeccomp()) {
      container.getPrivilegesBuilder().getSeccompBuilder()
          .setMode(oneOf(SECCOMP_MODES, sent.getPrivileges().getSeccomp().getMode(), "default", "invalid Seccomp mode: %s"));
    }
    if (sent.getPrivileges().hasAppArmor()) {
      container.getPrivilegesBuilder().getAppArmorBuilder()
          .setMode(oneOf(APP_ARMOR_MODES, sent.getPrivileges().getAppArmor().getMode(), "default", "invalid AppArmor mode: %s"));
    }
    container.clearMounts();
    for (Mount mount : sent.getMountsList()) {
      container.addMounts(mount(mount));
    }
    return container.build();
  }

  private static Mount mount(Mount sent) throws Refusal {
    Mount.Builder mount = sent.toBuilder();
    mount.setType(oneOf(MOUNT_TYPES, sent.getType(), "bind", "invalid MountType: %s"));
    if (!sent.getConsistency().isEmpty()) {
      mount.setConsistency(oneOf(CONSISTENCIES, sent.getConsistency(), "", "invalid MountConsistency: %s"));
    }
    if (!sent.getBindOptions().getPropagation().isEmpty()) {
      BindOptions.Builder bind = sent.getBindOptions().toBuilder();
      mount.setBindOptions(bind.setPropagation(oneOf(PROPAGATIONS, bind.getPropagation(), "", "invalid MountPropagation: %s")));
    }
    return mount.build();
  }

  private static RestartPolicy restart(RestartPolicy sent) throws Refusal {
    String condition = sent.getCondition().replace('_', '-');
    return sent.toBuilder().setCondition(word(CONDITIONS, condition, sent.getCondition(), "any", "invalid RestartCondition: %s")).build();
  }

  private static ServiceMode mode(ServiceMode sent) throws Refusal {
    int modes = (sent.hasReplicated() ? 1 : 0) + (sent.hasGlobal() ? 1 : 0) + (sent.hasReplicatedJob() ? 1 : 0)
        + (sent.hasGlobalJob() ? 1 : 0);
    if (modes > 1) {
      throw badWord("must specify only one service mode");
    }
    if (sent.hasReplicatedJob()) {
      ReplicatedJob.Builder job = sent.getReplicatedJob().toBuilder();
      job.setMaxConcurrent(job.hasMaxConcurrent() ? job.getMaxConcurrent() : 1);
      job.setTotalCompletions(job.hasTotalCompletions() ? job.getTotalCompletions() : job.getMaxConcurrent());
      return ServiceMode.newBuilder().setReplicatedJob(job).build();
    }
    if (modes == 1 && !sent.hasReplicated() || sent.getReplicated().hasReplicas()) {
      return sent;
    }
    return ServiceMode.newBuilder().setReplicated(ReplicatedService.newBuilder().setReplicas(1)).build();
  }

  private static UpdateConfig update(UpdateConfig sent) throws Refusal {
    String action = sent.getFailureAction();
    if (!action.isEmpty() && !FAILURE_ACTIONS.contains(action)) {
      throw badWord("unrecognized update failure action " + action);
    }
    if (!sent.getOrder().isEmpty() && !ORDERS.contains(sent.getOrder())) {
      throw badWord("unrecognized update order " + sent.getOrder());
    }
    return sent.toBuilder().setFailureAction(action.isEmpty() ? "pause" : action)
        .setOrder(sent.getOrder().isEmpty() ? "stop-first" : sent.getOrder()).build();
  }

  private static EndpointSpec endpoint(EndpointSpec sent) throws Refusal {
    EndpointSpec.Builder endpoint = EndpointSpec.newBuilder()
        .setMode(oneOf(Set.of("vip", "dnsrr"), sent.getMode(), "vip", "invalid resolution mode: %s"));
    for (PortConfig port : sent.getPortsList()) {
      endpoint.addPorts(
          port.toBuilder()
              .setProtocol(oneOf(PROTOCOLS, port.getProtocol(), "tcp", "invalid port protocol: %s"))
              .setPublishMode(oneOf(Set.of("ingress", "host"), port.getPublishMode(), "ingress", "invalid publish mode: %s")));
    }
    return endpoint.build();
  }

  private static String oneOf(Set<String> words, String sent, String absent, String refusal) throws Refusal {
    return word(words, sent, sent, absent, refusal);
  }

  private static String word(Set<String> words, String candidate, String sent, String absent, String refusal) throws Refusal {
    if (sent.isEmpty()) {
      return absent;
    }
    if (!words.contains(lower(candidate))) {
      throw badWord(refusal.formatted(GoText.quoted(sent)));
    }
    return lower(candidate);
  }

  private static Refusal badWord(String text) {
    return new Refusal(ApiError.badRequest(text));
  }

  private static String lower(String word) {
    return word.toLowerCase(Locale.ROOT);
  }
}
