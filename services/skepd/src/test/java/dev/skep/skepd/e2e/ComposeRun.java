package dev.skep.skepd.e2e;

import dev.skep.skepd.deploy.Compose;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** What {@code docker compose up} would do with a file of ours, by {@code docker run}: the plugin is not on every machine. */
final class ComposeRun {
  private static final String PROJECT = "skep";

  private final Machine machine;
  private final Compose compose;
  private final Set<String> up = new TreeSet<>();

  ComposeRun(Machine machine, Compose compose) {
    this.machine = machine;
    this.compose = compose;
  }

  static String container(String service) {
    return PROJECT + "-" + service;
  }

  /** Starts these services and what they wait for, in the file's order. */
  void up(Set<String> services) {
    machine.engine("network", "create", "--subnet", compose.subnet(), "--gateway", compose.gateway(), PROJECT + "_control").succeeds();
    for (Compose.Service service : compose.services().values()) {
      if (services.contains(service.name())) {
        service.waitsFor().forEach(this::ended);
        machine.engine(run(service).toArray(String[]::new)).succeeds();
        up.add(service.name());
      }
    }
  }

  private void ended(String service) {
    Machine.eventually(service + " has ended well", () -> machine.engine("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", container(service)).text()
        + "\n" + machine.engine("logs", "--tail", "20", container(service)).text(), seen -> seen.startsWith("exited 0"));
  }

  private List<String> run(Compose.Service service) {
    List<String> words = new ArrayList<>(List.of("run", "--detach", "--name", container(service.name())));
    if (service.text("network_mode").isEmpty()) {
      words.addAll(List.of("--network", PROJECT + "_control", "--network-alias", service.name(), "--hostname", service.name()));
    } else {
      words.addAll(List.of("--network", service.text("network_mode")));
    }
    option(words, "--pid", service.text("pid"));
    option(words, "--restart", service.text("restart"));
    service.list("cap_drop").forEach(capability -> option(words, "--cap-drop", capability));
    service.list("cap_add").forEach(capability -> option(words, "--cap-add", capability));
    service.list("security_opt").forEach(security -> option(words, "--security-opt", security));
    service.list("ports").forEach(port -> option(words, "--publish", port));
    service.list("extra_hosts").forEach(host -> option(words, "--add-host", host));
    service.environment().forEach((name, value) -> option(words, "--env", name + "=" + value));
    service.list("volumes").forEach(volume -> option(words, "--volume", volume(volume)));
    words.add(service.image());
    words.addAll(service.list("command"));
    return words;
  }

  private static void option(List<String> words, String name, String value) {
    if (!value.isEmpty()) {
      words.add(name);
      words.add(value);
    }
  }

  /** Named volumes belong to the project, relative folders are the file's. */
  private String volume(String text) {
    String source = text.substring(0, text.indexOf(':'));
    String rest = text.substring(text.indexOf(':'));
    if (compose.volumes().contains(source)) {
      return PROJECT + "_" + source + rest;
    }
    return (source.startsWith(".") ? Path.of(compose.file().getParent().toString(), source).normalize().toString() : source) + rest;
  }

  /** For a failure: how all containers are and what they said last. */
  String state() {
    StringBuilder text = new StringBuilder(machine.engine("ps", "-a", "--format", "{{.Names}} {{.Status}}").output());
    up.forEach(service -> text.append("\n== ").append(service).append('\n').append(machine.engine("logs", "--tail", "25", container(service)).output()));
    return text.toString();
  }
}
