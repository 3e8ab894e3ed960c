package dev.skep.controlapi.core;

import dev.skep.api.v1.ContainerSpec;
import dev.skep.api.v1.Mount;
import dev.skep.api.v1.NetworkAttachmentConfig;
import dev.skep.api.v1.NetworkCreateRequest;
import dev.skep.api.v1.PortConfig;
import dev.skep.api.v1.Privileges;
import dev.skep.api.v1.ServiceSpec;
import dev.skep.api.v1.TaskSpec;
import dev.skep.api.v1.UpdateConfig;
import dev.skep.state.view.ServiceView;
import java.util.Optional;
import java.util.Set;

/**
 * What this version does not do, by the name that the user knows it by. A request that asks for any of it is refused as
 * a whole with 501: nothing that was asked for is silently left out.
 */
public final class NotBuilt {
  private static final Set<String> PREDEFINED = Set.of("host", "bridge", "none", "nat");
  private static final String LEAVE_OUT = "leave it out";

  private NotBuilt() {}

  /** Looks at a spec in its stored form. */
  public static Optional<ApiError> inService(ServiceSpec spec) {
    return mode(spec)
        .or(() -> spec.hasUpdateConfig() ? policy("update_config", spec.getUpdateConfig()) : Optional.empty())
        .or(() -> spec.hasRollbackConfig() ? policy("rollback_config", spec.getRollbackConfig()) : Optional.empty())
        .or(() -> container(spec.getTaskTemplate().getContainerSpec()))
        .or(() -> task(spec.getTaskTemplate()))
        .or(() -> ports(spec));
  }

  private static Optional<ApiError> mode(ServiceSpec spec) {
    if (spec.getMode().hasReplicatedJob()) {
      return refuse("mode replicated-job", "use mode replicated with restart condition none or on-failure");
    }
    return spec.getMode().hasGlobalJob() ? refuse("mode global-job", "use mode global with restart condition none or on-failure")
        : Optional.empty();
  }

  /** Only the policy that is followed anyway is accepted when it is spelled out. */
  private static Optional<ApiError> policy(String name, UpdateConfig asked) {
    UpdateConfig done = ServiceView.DEFAULT_UPDATE;
    if (asked.getParallelism() != done.getParallelism()) {
      return refuse(name + ".parallelism " + Long.toUnsignedString(asked.getParallelism()), "use 1, or leave it out");
    }
    if (asked.getDelay() != 0) {
      return refuse(name + ".delay", "use 0, or leave it out");
    }
    if (!asked.getFailureAction().equals(done.getFailureAction())) {
      return refuse(name + ".failure_action " + asked.getFailureAction(), "use pause, or leave it out");
    }
    if (asked.getMonitor() != 0 && asked.getMonitor() != done.getMonitor()) {
      return refuse(name + ".monitor", "use 5s, or leave it out");
    }
    if (asked.getMaxFailureRatio() != 0) {
      return refuse(name + ".max_failure_ratio", "use 0, or leave it out");
    }
    return asked.getOrder().equals(done.getOrder()) ? Optional.empty()
        : refuse(name + ".order " + asked.getOrder(), "use stop-first, or leave it out");
  }

  private static Optional<ApiError> container(ContainerSpec container) {
    if (container.getSecretsCount() > 0) {
      return refuse(
          "secret " + GoText.quoted(container.getSecrets(0).getSecretName()),
          "mount a file of the node with a bind mount, or use an environment variable");
    }
    if (container.getConfigsCount() > 0) {
      return refuse("config " + GoText.quoted(container.getConfigs(0).getConfigName()), "put the file into the image, or use a bind mount");
    }
    if (!container.getIsolation().isEmpty() && !container.getIsolation().equals("default")) {
      return refuse("isolation " + container.getIsolation(), "use default; the others are for Windows nodes");
    }
    for (Mount mount : container.getMountsList()) {
      Optional<ApiError> error = mount(mount);
      if (error.isPresent()) {
        return error;
      }
    }
    return privileges(container.getPrivileges());
  }

  private static Optional<ApiError> mount(Mount mount) {
    return switch (mount.getType()) {
      case "cluster" -> refuse("mount type cluster (CSI volumes)", "use a volume or bind mount");
      case "npipe" -> refuse("mount type npipe", "use a bind mount; named pipes are for Windows nodes");
      case "image" -> refuse("mount type image", "use a volume or bind mount");
      default -> mountOptions(mount);
    };
  }

  /** Engines that are too old for these leave them out without a word. */
  private static Optional<ApiError> mountOptions(Mount mount) {
    if (!mount.getVolumeOptions().getSubpath().isEmpty()) {
      return refuse("volume option subpath", "mount the whole volume");
    }
    return mount.getBindOptions().getReadOnlyForceRecursive() ? refuse("bind-recursive=readonly", "use bind-recursive=disabled")
        : Optional.empty();
  }

  private static Optional<ApiError> privileges(Privileges privileges) {
    if (privileges.hasCredentialSpec()) {
      return refuse("credential spec", LEAVE_OUT + "; it is for Windows nodes");
    }
    return Optional.empty();
  }

  private static Optional<ApiError> task(TaskSpec task) {
    if (task.getResources().getReservations().getGenericResourcesCount() > 0) {
      return refuse("generic resources", "use a node label and a placement constraint");
    }
    for (NetworkAttachmentConfig network : task.getNetworksList()) {
      if (network.getDriverOptsCount() > 0) {
        return refuse(
            "driver option " + network.getDriverOptsMap().keySet().stream().sorted().findFirst().orElseThrow()
            + " of a network attachment", LEAVE_OUT);
      }
    }
    return Optional.empty();
  }

  private static Optional<ApiError> ports(ServiceSpec spec) {
    for (PortConfig port : spec.getEndpointSpec().getPortsList()) {
      if (port.getProtocol().equals("sctp")) {
        return refuse("port protocol sctp", "publish tcp or udp");
      }
    }
    return Optional.empty();
  }

  /** The engine's own networks, which swarm lets services join. Empty for any other name. */
  public static Optional<ApiError> predefinedNetwork(String name) {
    return PREDEFINED.contains(name)
        ? refuse("network " + GoText.quoted(name) + " for services", "publish the port with mode=host, or use an overlay network")
        : Optional.empty();
  }

  /** Overlay networks only: others pass through to the engine. */
  public static Optional<ApiError> inNetwork(NetworkCreateRequest request) {
    if (request.getAttachable()) {
      return refuse("an attachable network", "leave --attachable (in a compose file: attachable) out and run the container as a service");
    }
    if (request.getOptionsMap().containsKey("encrypted")) {
      return refuse("an encrypted overlay", "leave the option encrypted out, and encrypt in the application or below the network");
    }
    if (request.getEnableIpv6() || request.getIpam().getConfigList().stream().anyMatch(pool -> pool.getSubnet().indexOf(':') >= 0)) {
      return refuse("IPv6 on overlay networks", "leave --ipv6 (in a compose file: enable_ipv6) out and use IPv4 subnets");
    }
    if (request.getConfigOnly() || request.hasConfigFrom() && !request.getConfigFrom().getNetwork().isEmpty()) {
      return refuse("a config-only network", "give the options to the network itself");
    }
    if (request.getIpam().getConfigCount() > 1) {
      return refuse("more than one subnet in a network", "use one larger subnet");
    }
    for (var pool : request.getIpam().getConfigList()) {
      if (pool.getAuxiliaryAddressesCount() > 0) {
        return refuse("aux-address", LEAVE_OUT);
      }
    }
    String ipam = request.getIpam().getDriver();
    return ipam.isEmpty() || ipam.equals("default") ? Optional.empty() : refuse("IPAM driver " + GoText.quoted(ipam), "use default");
  }

  /** A whole route, by the name of its command. */
  public static ApiError command(String name, String wayOut) {
    return ApiError.notBuilt(name, wayOut);
  }

  private static Optional<ApiError> refuse(String what, String wayOut) {
    return Optional.of(ApiError.notBuilt(what, wayOut));
  }
}
