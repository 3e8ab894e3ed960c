package dev.skep.moving.shell;

import dev.skep.backend.Access;
import dev.skep.backend.Store;
import dev.skep.moving.MovingSettings;
import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.users.Administration;
import dev.skep.runtime.users.HostUsers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;

/** As whom this host goes to the store and the log to which it moves its cluster: as its own user, where it may make one. */
final class MovedHost {
  private final MovingSettings settings;
  private final Identity self;
  private final boolean issues;

  private MovedHost(MovingSettings settings, Identity self, boolean issues) {
    this.settings = settings;
    this.self = self;
    this.issues = issues;
  }

  /** Turns users on where there are none yet, if that was asked for. Throws StoreException. */
  static MovedHost of(MovingSettings settings, Identity self) {
    Administration administration = settings.administration();
    if (!administration.possible()) {
      return new MovedHost(settings, self, false);
    }
    administration.prepare();
    return new MovedHost(settings, self, administration.accepted());
  }

  /** Makes the user that this host goes on as; the same as this command where that is all there is. */
  StoreAccess access() {
    if (!issues) {
      return settings.told();
    }
    try (HostUsers users = users()) {
      return users.host(self.nodeId());
    }
  }

  Access toLog(StoreAccess access) {
    return issues && access.user("log").isPresent() ? access.access("log", settings.keys()) : settings.logAccess();
  }

  /** From its next start on skepd goes there so. */
  void goesThere(Store target, StoreAccess access) {
    if (issues) {
      try (HostUsers users = users()) {
        Administration.administrator(users, target, settings.keys());
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read the cluster's key", e);
      }
    }
    if (access.shared()) {
      access.write(settings.keys());
    }
  }

  private HostUsers users() {
    return settings.administration().users(self.clusterId());
  }
}
