package dev.skep.agent.core;

import dev.skep.api.v1.BindOptions;
import dev.skep.api.v1.ContainerSpec;
import dev.skep.api.v1.Mount;
import dev.skep.api.v1.TmpfsOptions;
import dev.skep.api.v1.VolumeOptions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The mounts of a container body. */
final class ContainerMounts {
  private final Placeholders placeholders;

  ContainerMounts(Placeholders placeholders) {
    this.placeholders = placeholders;
  }

  List<Map<String, Object>> of(ContainerSpec spec, Optional<String> resolvConf) {
    List<Map<String, Object>> mounts = new ArrayList<>();
    spec.getMountsList().forEach(mount -> mounts.add(mount(mount)));
    resolvConf.ifPresent(
        path -> mounts.add(Map.of("Type", "bind", "Source", path, "Target", "/etc/resolv.conf", "ReadOnly", true)));
    return mounts;
  }

  private Map<String, Object> mount(Mount mount) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("Type", mount.getType().isEmpty() ? "volume" : mount.getType());
    ContainerBody.put(out, "Source", placeholders.expand(mount.getSource()));
    out.put("Target", placeholders.expand(mount.getTarget()));
    ContainerBody.put(out, "ReadOnly", mount.getReadOnly());
    ContainerBody.put(out, "Consistency", mount.getConsistency());
    if (mount.hasBindOptions()) {
      ContainerBody.put(out, "BindOptions", bind(mount.getBindOptions()));
    }
    if (mount.hasVolumeOptions()) {
      ContainerBody.put(out, "VolumeOptions", volume(mount.getVolumeOptions()));
    }
    if (mount.hasTmpfsOptions()) {
      TmpfsOptions tmpfs = mount.getTmpfsOptions();
      Map<String, Object> options = new LinkedHashMap<>();
      ContainerBody.put(options, "SizeBytes", tmpfs.getSizeBytes());
      ContainerBody.put(options, "Mode", tmpfs.getMode());
      ContainerBody.put(out, "TmpfsOptions", options);
    }
    return out;
  }

  private static Map<String, Object> bind(BindOptions bind) {
    Map<String, Object> options = new LinkedHashMap<>();
    ContainerBody.put(options, "Propagation", bind.getPropagation());
    ContainerBody.put(options, "NonRecursive", bind.getNonRecursive());
    ContainerBody.put(options, "CreateMountpoint", bind.getCreateMountpoint());
    ContainerBody.put(options, "ReadOnlyNonRecursive", bind.getReadOnlyNonRecursive());
    ContainerBody.put(options, "ReadOnlyForceRecursive", bind.getReadOnlyForceRecursive());
    return options;
  }

  private Map<String, Object> volume(VolumeOptions volume) {
    Map<String, Object> options = new LinkedHashMap<>();
    ContainerBody.put(options, "NoCopy", volume.getNoCopy());
    Map<String, Object> labels = new LinkedHashMap<>();
    volume.getLabelsMap().forEach((key, value) -> labels.put(key, placeholders.expand(value)));
    ContainerBody.put(options, "Labels", labels);
    ContainerBody.put(options, "Subpath", volume.getSubpath());
    if (volume.hasDriverConfig()) {
      Map<String, Object> driver = new LinkedHashMap<>();
      ContainerBody.put(driver, "Name", volume.getDriverConfig().getName());
      Map<String, Object> values = new LinkedHashMap<>();
      volume.getDriverConfig().getOptionsMap().forEach((key, value) -> values.put(key, placeholders.expand(value)));
      ContainerBody.put(driver, "Options", values);
      ContainerBody.put(options, "DriverConfig", driver);
    }
    return options;
  }
}
