package dev.skep.skepd;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.skep.api.v1.InitRequest;
import dev.skep.api.v1.JoinRequest;
import dev.skep.backend.Backends;
import dev.skep.backend.Store;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.shell.Founding;
import dev.skep.runtime.Membership;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.config.SettingsException;
import dev.skep.runtime.host.BasicHost;
import dev.skep.runtime.host.CommandThreads;
import dev.skep.runtime.host.FileMembership;
import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.host.Launch;
import dev.skep.runtime.host.NodeHost;
import dev.skep.runtime.host.ProcessHost;
import dev.skep.runtime.host.ProcessSettings;
import dev.skep.runtime.identity.ServerCertificates;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.users.Administration;
import dev.skep.runtime.users.HostUsers;
import dev.skep.runtime.users.Passwords;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What has to be done before the services of a host can start: {@code certificates} for the servers of store and log;
 * {@code init} makes the host's identity, {@code join} gets one; {@code grant} makes its users in store and log, and
 * {@code revoke} takes them away.
 */
public final class AdminMain {
  private static final Logger LOG = LoggerFactory.getLogger(AdminMain.class);

  private AdminMain() {}

  public static void main(String[] args) {
    String command = args.length == 0 ? "" : args[0];
    String[] rest = Arrays.copyOfRange(args, Math.min(1, args.length), args.length);
    switch (command) {
      case "init" -> Launch.run("skep admin init", rest, AdminMain::init);
      case "join" -> Launch.run("skep admin join", rest, AdminMain::join);
      case "certificates" -> Launch.run("skep admin certificates", rest, AdminMain::certificates);
      case "grant" -> Launch.run("skep admin grant", rest, AdminMain::grant);
      case "revoke" -> Launch.run("skep admin revoke", rest, AdminMain::revoke);
      default -> {
        System.err.println("usage: skep admin certificates|init|join|grant|revoke --SETTING=VALUE …   (docs/DEPLOYMENT.md)");
        System.exit(Launch.MISCONFIGURED);
      }
    }
  }

  static Optional<BasicHost> init(Settings settings) throws Exception {
    ProcessSettings process = ProcessSettings.withStore(settings);
    InitRequest request = InitRequest.newBuilder()
        .setAdvertiseAddr(settings.required("advertise-addr", "the address at which other hosts reach this one"))
        .setListenAddr(process.listen().orElse(""))
        .setDataPathAddr(settings.text("data-path-addr", ""))
        .build();
    boolean replace = settings.flag("replace", false);
    Administration administration = Administration.from(settings, process.store());
    boolean users = settings.flag("users", administration.possible());
    StoreAccess told = StoreAccess.from(settings, process.store());
    HostBuilder builder = process.builder("skep admin init").access(users ? administration.told() : told); // who administers stays unknown
    settings.refuseUnknown();
    if (users) {
      administration.prepare();
    }
    try (ProcessHost host = builder.startProcess(process.store())) {
      done("is the first manager", process, Founding.init(host, request, replace));
      if (users) {
        Membership.Identity self = host.membership().current().orElseThrow();
        Path identity = process.identity().orElseThrow();
        try (HostUsers servers = administration.users(self.clusterId())) {
          Administration.administrator(servers, host.store(), identity);
          granted(Administration.services(servers, self.nodeId(), identity, false), self.nodeId(), servers);
        }
      }
    }
    return Optional.empty();
  }

  /** For servers of store and log on TLS; nothing happens to what is there and good for long. */
  static Optional<BasicHost> certificates(Settings settings) throws IOException {
    Path out = Path.of(settings.required("out", "a folder for the root, and a folder in it for each server"));
    List<String> servers = settings.list("servers");
    ProcessSettings.plain(settings); // an image sets some for whatever runs in it
    settings.refuseUnknown();
    if (servers.isEmpty()) {
      throw new SettingsException("--servers is missing: the names of the hosts of etcd and Kafka, NAME,NAME/OTHERNAME/ADDRESS,…");
    }
    SecureRandom random = new SecureRandom();
    ServerCertificates files = ServerCertificates.in(out, Clock.systemUTC().instant(), random);
    for (String server : servers) {
      List<String> names = List.of(server.split("/"));
      boolean made = files.server(names.getFirst(), names.subList(1, names.size()));
      LOG.info("{}: {}", out.resolve(names.getFirst()), made ? "a certificate" : "its certificate is good");
    }
    files.client("admin");
    files.secret("root.password", Passwords.fresh(random));
    return Optional.empty();
  }

  static Optional<BasicHost> grant(Settings settings) throws Exception {
    ProcessSettings process = ProcessSettings.withStore(settings);
    Administration administration = Administration.from(settings, process.store());
    Path identity = process.identity().orElseThrow();
    String node = node(settings, process, identity);
    Path out = settings.path("out", identity);
    boolean services = settings.flag("services", false);
    settings.refuseUnknown();
    administration.prepare();
    try (CommandThreads threads = new CommandThreads();
        Store store = Backends.store(process.store(), process.storeAccess(), threads::start);
        HostUsers users = administration.users(cluster(store))) {
      Administration.administrator(users, store, identity);
      granted(services ? Administration.services(users, node, out, true) : Administration.host(users, node, out, true), node, users);
    }
    LOG.info("written to {}: start the processes of that host again with it", out);
    return Optional.empty();
  }

  private static void granted(boolean made, String node, HostUsers users) {
    LOG.info("node {} {} users of its own in the store{}", node, made ? "has got" : "has", users.inLog() ? " and in the log" : "");
  }

  static Optional<BasicHost> revoke(Settings settings) throws Exception {
    ProcessSettings process = ProcessSettings.withStore(settings);
    Administration administration = Administration.from(settings, process.store());
    String node = settings.required("node", "the id of the node that is to be shut out");
    settings.refuseUnknown();
    administration.prepare();
    try (CommandThreads threads = new CommandThreads();
        Store store = Backends.store(process.store(), process.storeAccess(), threads::start);
        HostUsers users = administration.users(cluster(store))) {
      Set<String> gone = users.revoke(node);
      LOG.info("{}", gone.isEmpty() ? "node " + node + " has no users" : "gone: " + String.join(", ", gone));
    }
    return Optional.empty();
  }

  private static String node(Settings settings, ProcessSettings process, Path identity) {
    return settings.text("node")
        .or(() -> new FileMembership(identity).current().map(Membership.Identity::nodeId))
        .or(() -> new FileMembership(process.data()).current().map(Membership.Identity::nodeId))
        .orElseThrow(() -> new SettingsException("--node is missing: this host is no node, so whose users are to be made?"));
  }

  private static String cluster(Store store) throws InvalidProtocolBufferException {
    Optional<Store.Entry> row = store.get(Rows.cluster().path());
    if (row.isEmpty()) {
      throw new SettingsException("there is no cluster in the store yet: 'skep admin init', 'docker swarm init' or 'skep migrate' makes one");
    }
    return ClusterRow.parseFrom(row.get().value()).getId();
  }

  static Optional<BasicHost> join(Settings settings) throws Exception {
    ProcessSettings process = ProcessSettings.withIdentity(settings);
    JoinRequest request = JoinRequest.newBuilder()
        .addAllRemoteAddrs(settings.list("managers"))
        .setJoinToken(token(settings))
        .setAdvertiseAddr(settings.text("advertise-addr", ""))
        .setDataPathAddr(settings.text("data-path-addr", ""))
        .setAvailability(settings.text("availability", ""))
        .build();
    HostBuilder builder = process.builder("skep admin join");
    settings.refuseUnknown();
    try (NodeHost host = builder.startNode()) {
      done("is in the cluster", process, Founding.join(host, request));
    }
    return Optional.empty();
  }

  /** From a file, so that no list of processes shows it. */
  private static String token(Settings settings) throws IOException {
    Path file = Path.of(settings.required("token-file", "a file with the join token"));
    return Files.readString(file).strip();
  }

  private static void done(String what, ProcessSettings process, Answer<String> node) {
    switch (node) {
      case Answer.Ok<String>(String id) -> LOG.info("node {} {}; its identity is in {}", id, what, process.identity().orElseThrow());
      case Answer.Refused<String>(var error) -> throw new IllegalStateException(error.message());
    }
  }
}
