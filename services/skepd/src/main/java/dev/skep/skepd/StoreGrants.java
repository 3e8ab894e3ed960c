package dev.skep.skepd;

import dev.skep.backend.Access;
import dev.skep.backend.etcd.EtcdConfig;
import dev.skep.backend.etcd.EtcdUsers;
import dev.skep.runtime.config.AccessSettings;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.host.BasicHost;
import dev.skep.state.StoreRole;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Users of the store for the services of one host, one a service, each with the rights of its role and no more. Their
 * passwords go into files: {@code <out>/<service>.password}. Taken away from a host that is no manager any more.
 */
final class StoreGrants {
  private static final Logger LOG = LoggerFactory.getLogger(StoreGrants.class);
  private static final int PASSWORD_BYTES = 24;

  private StoreGrants() {}

  static Optional<BasicHost> grant(Settings settings) throws IOException {
    EtcdConfig store = store(settings);
    String host = host(settings);
    Path out = Path.of(settings.required("out", "a folder for the passwords"));
    boolean first = settings.flag("first", false);
    settings.refuseUnknown();
    Files.createDirectories(out, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    SecureRandom random = new SecureRandom();
    try (EtcdUsers users = EtcdUsers.open(store)) {
      for (StoreRole role : StoreRole.values()) {
        users.role(name("skep", role), role.writes(), role.opensSealed());
        users.user(name(host, role), fresh(out, role.service(), random), name("skep", role));
      }
      if (first) {
        users.enable(fresh(out, "root", random));
      }
    }
    LOG.info("the services of {} have users in the store; their passwords are in {}{}", host, out,
        first ? ", root's too: keep that one elsewhere" : "");
    return Optional.empty();
  }

  static Optional<BasicHost> revoke(Settings settings) {
    EtcdConfig store = store(settings);
    String host = host(settings);
    settings.refuseUnknown();
    try (EtcdUsers users = EtcdUsers.open(store)) {
      for (StoreRole role : StoreRole.values()) {
        users.remove(name(host, role));
      }
    }
    LOG.info("the services of {} have no users in the store any more", host);
    return Optional.empty();
  }

  private static String name(String of, StoreRole role) {
    return of + "-" + role.service();
  }

  private static String host(Settings settings) {
    String host = settings.required("host", "whose services they are");
    if (!host.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
      throw new IllegalArgumentException("'" + host + "' is no name for users of the store: letters, digits, dots and dashes");
    }
    return host;
  }

  private static EtcdConfig store(Settings settings) {
    String uri = settings.required("store", "etcd://host,host,host");
    Access access = AccessSettings.from(settings, "store", Optional.empty());
    if (!EtcdConfig.names(uri)) {
      throw new IllegalArgumentException("only a store on etcd has users: " + uri);
    }
    return EtcdConfig.of(uri, access);
  }

  private static String fresh(Path out, String service, SecureRandom random) throws IOException {
    byte[] bytes = new byte[PASSWORD_BYTES];
    random.nextBytes(bytes);
    String password = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    Path file = Files.createTempFile(out, service, ".new"); // of mode 0600
    Files.writeString(file, password + "\n");
    Files.move(file, out.resolve(service + ".password"), StandardCopyOption.ATOMIC_MOVE);
    return password;
  }
}
