package dev.skep.agent.core;

import dev.skep.api.v1.ContainerSpec;
import dev.skep.api.v1.HealthConfig;
import dev.skep.api.v1.PortConfig;
import dev.skep.api.v1.ResourceLimit;
import dev.skep.api.v1.ResourceRequirements;
import dev.skep.dispatcher.v1.AttachmentAssignment;
import dev.skep.dispatcher.v1.TaskAssignment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The body of {@code POST /containers/create} for a task, as a JSON tree. Empty values are left out, so that the image's
 * and the engine's own defaults hold.
 */
public final class ContainerBody {
  /** From here on an engine takes every network, each with its MAC, when the container is created. */
  private static final ApiVersion ALL_NETWORKS = new ApiVersion(1, 44);

  /**
   * @param resolver where the container's names are asked: the gateway of its first network
   * @param resolvConf host path of a prepared resolv.conf, when the engine's own would break the look-up
   */
  public record Setting(
      Ownership ownership, ApiVersion api, String hostname, String architecture, String os, String resolver, Optional<String> resolvConf) {}

  private final TaskAssignment task;
  private final ContainerSpec spec;
  private final Setting setting;
  private final Placeholders placeholders;

  private ContainerBody(TaskAssignment task, Setting setting) {
    this.task = task;
    this.spec = task.getSpec().getContainerSpec();
    this.setting = setting;
    this.placeholders = new Placeholders(task, setting.hostname(), setting.architecture(), setting.os());
  }

  public static Map<String, Object> of(TaskAssignment task, Setting setting) {
    return new ContainerBody(task, setting).body();
  }

  /** Networks that are joined by calls of their own after the container was created. */
  public static List<String> joinedLater(TaskAssignment task, ApiVersion api) {
    return api.atLeast(ALL_NETWORKS)
        ? List.of()
        : task.getAttachmentsList().stream().skip(1).map(AttachmentAssignment::getNetworkId).toList();
  }

  /**
   * The engine's resolver does not forward names without a dot when {@code ndots} is one or more, so such a container
   * asks the node directly, with a resolv.conf of ours.
   */
  public static Optional<String> resolvConf(TaskAssignment task, String resolver) {
    var dns = task.getSpec().getContainerSpec().getDnsConfig();
    boolean broken = dns.getOptionsList().stream().anyMatch(o -> o.startsWith("ndots:") && !o.equals("ndots:0"));
    if (!broken || resolver.isEmpty()) {
      return Optional.empty();
    }
    StringBuilder text = new StringBuilder("nameserver " + resolver + "\n");
    if (dns.getSearchCount() > 0) {
      text.append("search ").append(String.join(" ", dns.getSearchList())).append('\n');
    }
    return Optional.of(text.append("options ").append(String.join(" ", dns.getOptionsList())).append('\n').toString());
  }

  private Map<String, Object> body() {
    Map<String, Object> body = new LinkedHashMap<>();
    put(body, "Hostname", placeholders.expand(spec.getHostname()));
    put(body, "User", spec.getUser());
    put(body, "Env", spec.getEnvList().stream().map(placeholders::expand).toList());
    put(body, "Entrypoint", List.copyOf(spec.getCommandList()));
    put(body, "Cmd", List.copyOf(spec.getArgsList()));
    body.put("Image", spec.getImage());
    put(body, "WorkingDir", spec.getDir());
    body.put("Labels", setting.ownership().labels(task));
    put(body, "StopSignal", spec.getStopSignal());
    put(body, "Tty", spec.getTty());
    put(body, "OpenStdin", spec.getOpenStdin());
    put(body, "Healthcheck", healthcheck());
    put(body, "ExposedPorts", exposed());
    if (task.getAttachmentsCount() > 0 && !setting.api().atLeast(ALL_NETWORKS)) {
      body.put("MacAddress", MacAddress.of(plain(task.getAttachments(0).getAddress())));
    }
    body.put("HostConfig", hostConfig());
    put(body, "NetworkingConfig", networking());
    return body;
  }

  private Map<String, Object> healthcheck() {
    Map<String, Object> check = new LinkedHashMap<>();
    if (spec.hasHealthcheck()) {
      HealthConfig health = spec.getHealthcheck();
      put(check, "Test", List.copyOf(health.getTestList()));
      put(check, "Interval", health.getInterval());
      put(check, "Timeout", health.getTimeout());
      put(check, "StartPeriod", health.getStartPeriod());
      if (setting.api().atLeast(ALL_NETWORKS)) {
        put(check, "StartInterval", health.getStartInterval());
      }
      put(check, "Retries", health.getRetries());
    }
    return check;
  }

  private Map<String, Object> exposed() {
    Map<String, Object> ports = new LinkedHashMap<>();
    task.getHostPortsList().forEach(port -> ports.put(portKey(port), Map.of()));
    return ports;
  }

  private static String portKey(PortConfig port) {
    return port.getTargetPort() + "/" + (port.getProtocol().isEmpty() ? "tcp" : port.getProtocol());
  }

  private Map<String, Object> hostConfig() {
    Map<String, Object> host = new LinkedHashMap<>();
    host.put("NetworkMode", networkMode());
    host.put("RestartPolicy", Map.of("Name", "no"));
    put(host, "Mounts", new ContainerMounts(placeholders).of(spec, setting.resolvConf()));
    put(host, "PortBindings", bindings());
    names(host);
    resources(host);
    put(host, "CapAdd", List.copyOf(spec.getCapabilityAddList()));
    put(host, "CapDrop", List.copyOf(spec.getCapabilityDropList()));
    put(host, "GroupAdd", List.copyOf(spec.getGroupsList()));
    put(host, "ExtraHosts", extraHosts());
    put(host, "ReadonlyRootfs", spec.getReadOnly());
    put(host, "Sysctls", new LinkedHashMap<>(spec.getSysctlsMap()));
    put(host, "OomScoreAdj", spec.getOomScoreAdj());
    put(host, "SecurityOpt", SecurityOptions.of(spec.getPrivileges()));
    if (!spec.getIsolation().isEmpty() && !spec.getIsolation().equals("default")) {
      host.put("Isolation", spec.getIsolation());
    }
    if (spec.hasInit()) {
      host.put("Init", spec.getInit());
    }
    if (!task.getSpec().getLogDriver().getName().isEmpty()) {
      var driver = task.getSpec().getLogDriver();
      host.put("LogConfig", Map.of("Type", driver.getName(), "Config", Map.copyOf(driver.getOptionsMap())));
    }
    return host;
  }

  private void names(Map<String, Object> host) {
    var dns = spec.getDnsConfig();
    // One upstream only: with two, old engines lose negative answers. The service's own servers are asked by ours.
    put(host, "Dns", setting.resolver().isEmpty() ? List.copyOf(dns.getNameserversList()) : List.of(setting.resolver()));
    put(host, "DnsSearch", List.copyOf(dns.getSearchList()));
    boolean own = setting.resolvConf().isPresent();
    put(host, "DnsOptions", dns.getOptionsList().stream().filter(option -> !own || !option.startsWith("ndots:")).toList());
  }

  private void resources(Map<String, Object> host) {
    ResourceRequirements resources = task.getSpec().getResources();
    ResourceLimit limits = resources.getLimits();
    put(host, "Memory", limits.getMemoryBytes());
    put(host, "NanoCpus", limits.getNanoCpus());
    put(host, "PidsLimit", limits.getPids());
    put(host, "MemoryReservation", resources.getReservations().getMemoryBytes());
    put(
        host,
        "Ulimits",
        spec.getUlimitsList().stream()
            .map(limit -> Map.<String, Object>of("Name", limit.getName(), "Hard", limit.getHard(), "Soft", limit.getSoft()))
            .toList());
  }

  private Map<String, Object> bindings() {
    Map<String, Object> bindings = new LinkedHashMap<>();
    for (PortConfig port : task.getHostPortsList()) {
      String published = port.getPublishedPort() == 0 ? "" : Integer.toString(port.getPublishedPort());
      List<Object> of = new ArrayList<>();
      if (bindings.get(portKey(port)) instanceof List<?> earlier) {
        of.addAll(earlier);
      }
      of.add(Map.of("HostPort", published));
      bindings.put(portKey(port), of);
    }
    return bindings;
  }

  /** From "address name alias…" as the API has it to "name:address" as the engine wants it. */
  private List<String> extraHosts() {
    List<String> hosts = new ArrayList<>();
    for (String line : spec.getHostsList()) {
      String[] words = line.strip().split("\\s+");
      for (int i = 1; i < words.length; i++) {
        hosts.add(words[i] + ":" + words[0]);
      }
    }
    return hosts;
  }

  private String networkMode() {
    if (task.getAttachmentsCount() > 0) {
      return Ownership.engineNetwork(task.getAttachments(0).getNetworkId());
    }
    return task.getSpec().getNetworksList().stream()
        .map(n -> n.getTarget())
        .filter(target -> target.equals("host") || target.equals("none"))
        .findFirst()
        .orElse("default");
  }

  private Map<String, Object> networking() {
    Map<String, Object> endpoints = new LinkedHashMap<>();
    boolean all = setting.api().atLeast(ALL_NETWORKS);
    for (AttachmentAssignment attachment : task.getAttachmentsList()) {
      if (endpoints.isEmpty() || all) {
        endpoints.put(Ownership.engineNetwork(attachment.getNetworkId()), endpoint(attachment, setting.api()));
      }
    }
    return endpoints.isEmpty() ? Map.of() : Map.of("EndpointsConfig", endpoints);
  }

  /** Aliases are not told to the engine: it would answer them itself with one container's address. */
  public static Map<String, Object> endpoint(AttachmentAssignment attachment, ApiVersion api) {
    String address = plain(attachment.getAddress());
    Map<String, Object> endpoint = new LinkedHashMap<>();
    endpoint.put("IPAMConfig", Map.of("IPv4Address", address));
    if (api.atLeast(ALL_NETWORKS)) {
      endpoint.put("MacAddress", MacAddress.of(address));
    }
    return endpoint;
  }

  private static String plain(String cidr) {
    int slash = cidr.indexOf('/');
    return slash < 0 ? cidr : cidr.substring(0, slash);
  }

  static void put(Map<String, Object> to, String key, Object value) {
    boolean empty =
        switch (value) {
          case String s -> s.isEmpty();
          case List<?> l -> l.isEmpty();
          case Map<?, ?> m -> m.isEmpty();
          case Boolean b -> !b;
          case Number n -> n.longValue() == 0;
          default -> false;
        };
    if (!empty) {
      to.put(key, value);
    }
  }
}
