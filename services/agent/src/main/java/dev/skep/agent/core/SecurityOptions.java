package dev.skep.agent.core;

import dev.skep.api.v1.Privileges;
import dev.skep.api.v1.SELinuxContext;
import java.util.ArrayList;
import java.util.List;

/** A service's privileges as the engine's security options. */
final class SecurityOptions {
  private SecurityOptions() {}

  static List<String> of(Privileges privileges) {
    List<String> options = new ArrayList<>();
    SELinuxContext selinux = privileges.getSelinuxContext();
    if (selinux.getDisable()) {
      options.add("label=disable");
    }
    add(options, "label=user:", selinux.getUser());
    add(options, "label=role:", selinux.getRole());
    add(options, "label=type:", selinux.getType());
    add(options, "label=level:", selinux.getLevel());
    switch (privileges.getSeccomp().getMode()) {
      case "unconfined" -> options.add("seccomp=unconfined");
      case "custom" -> options.add("seccomp=" + privileges.getSeccomp().getProfile().toStringUtf8());
      default -> {
        // the engine's own profile
      }
    }
    if (privileges.getAppArmor().getMode().equals("disabled")) {
      options.add("apparmor=unconfined");
    }
    if (privileges.getNoNewPrivileges()) {
      options.add("no-new-privileges");
    }
    return options;
  }

  private static void add(List<String> options, String prefix, String value) {
    if (!value.isEmpty()) {
      options.add(prefix + value);
    }
  }
}
