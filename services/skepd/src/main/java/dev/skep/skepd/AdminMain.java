package dev.skep.skepd;

import dev.skep.api.v1.InitRequest;
import dev.skep.api.v1.JoinRequest;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.shell.Founding;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.host.BasicHost;
import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.host.Launch;
import dev.skep.runtime.host.NodeHost;
import dev.skep.runtime.host.ProcessHost;
import dev.skep.runtime.host.ProcessSettings;
import dev.skep.runtime.identity.StoreAccess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What has to be done before the services of a host can start: {@code init} makes its identity, {@code join} gets one. */
public final class AdminMain {
  private static final Logger LOG = LoggerFactory.getLogger(AdminMain.class);

  private AdminMain() {}

  public static void main(String[] args) {
    String command = args.length == 0 ? "" : args[0];
    String[] rest = Arrays.copyOfRange(args, Math.min(1, args.length), args.length);
    switch (command) {
      case "init" -> Launch.run("skep admin init", rest, AdminMain::init);
      case "join" -> Launch.run("skep admin join", rest, AdminMain::join);
      default -> {
        System.err.println("usage: skep admin init|join --identity=FOLDER …   (deploy/README.md)");
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
    HostBuilder builder = process.builder("skep admin init").access(StoreAccess.from(settings, process.store()));
    settings.refuseUnknown();
    try (ProcessHost host = builder.startProcess(process.store())) {
      done("is the first manager", process, Founding.init(host, request, replace));
    }
    return Optional.empty();
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
