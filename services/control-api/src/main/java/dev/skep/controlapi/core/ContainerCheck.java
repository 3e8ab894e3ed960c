package dev.skep.controlapi.core;

import dev.skep.api.v1.ContainerSpec;
import dev.skep.api.v1.HealthConfig;
import dev.skep.api.v1.Mount;
import dev.skep.api.v1.ServiceSpec;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** What the manager checks about a container. What only the engine knows (a signal, a source path) fails later, in a task. */
final class ContainerCheck {
  private static final long MILLISECOND = 1_000_000;

  private ContainerCheck() {}

  static Optional<ApiError> check(ServiceSpec spec) {
    ContainerSpec container = spec.getTaskTemplate().getContainerSpec();
    return templates(container).or(() -> image(container.getImage())).or(() -> mounts(container))
        .or(() -> health(container.getHealthcheck()));
  }

  private static Optional<ApiError> templates(ContainerSpec container) {
    for (String variable : container.getEnvList()) {
      Optional<ApiError> error = TemplateSyntax.check(variable, "expanding env failed: ");
      if (error.isPresent()) {
        return error;
      }
    }
    for (Mount mount : container.getMountsList()) {
      Optional<ApiError> error =
          mountText("source", mount.getSource())
              .or(() -> mountText("target", mount.getTarget()))
              .or(() -> mountTexts("label", mount.getVolumeOptions().getLabelsMap()))
              .or(() -> mountTexts("driver option", mount.getVolumeOptions().getDriverConfig().getOptionsMap()));
      if (error.isPresent()) {
        return error;
      }
    }
    return TemplateSyntax.check(container.getHostname(), "expanding hostname failed: ");
  }

  private static Optional<ApiError> mountText(String what, String text) {
    return TemplateSyntax.check(text, "expanding mounts failed: expanding mount " + what + " " + GoText.quoted(text) + ": ");
  }

  private static Optional<ApiError> mountTexts(String what, Map<String, String> texts) {
    return new TreeMap<>(texts).values().stream().map(text -> mountText(what, text)).flatMap(Optional::stream).findFirst();
  }

  private static Optional<ApiError> image(String image) {
    if (image.isEmpty()) {
      return invalid("ContainerSpec: image reference must be provided");
    }
    return ImageReference.valid(image) ? Optional.empty()
        : invalid("ContainerSpec: " + GoText.quoted(image) + " is not a valid repository/tag");
  }

  private static Optional<ApiError> mounts(ContainerSpec container) {
    Set<String> targets = new HashSet<>();
    for (Mount mount : container.getMountsList()) {
      if (!targets.add(mount.getTarget())) {
        return invalid("ContainerSpec: duplicate mount point: " + mount.getTarget());
      }
    }
    return Optional.empty();
  }

  private static Optional<ApiError> health(HealthConfig health) {
    return duration("Interval", health.getInterval())
        .or(() -> duration("Timeout", health.getTimeout()))
        .or(() -> duration("StartPeriod", health.getStartPeriod()))
        .or(() -> duration("StartInterval", health.getStartInterval()))
        .or(() -> health.getRetries() < 0 ? invalid("ContainerSpec: Retries in HealthConfig cannot be negative") : Optional.empty());
  }

  private static Optional<ApiError> duration(String name, long nanos) {
    return nanos != 0 && nanos < MILLISECOND ? invalid("ContainerSpec: " + name + " in HealthConfig cannot be less than 1ms")
        : Optional.empty();
  }

  private static Optional<ApiError> invalid(String text) {
    return Optional.of(ApiError.invalidArgument(text));
  }
}
