package dev.skep.skepd.e2e;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;

/** A class of scenarios on one machine with a running cluster; each scenario removes its services when it is done. */
@Tag("e2e")
@Tag("engine")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class OneMachine {
  static final String IMAGE = "skep-hello:1";
  Machine machine;

  /** One word: it is part of the names of network namespaces. */
  abstract String machineName();

  @BeforeAll
  void boot() {
    machine = Machine.boot(machineName());
    try {
      machine.skep("up").succeeds();
    } catch (RuntimeException | Error e) {
      machine.close();
      throw e;
    }
  }

  @AfterAll
  void end() {
    if (machine != null) {
      machine.close();
    }
  }

  @AfterEach
  void removeEverything() {
    // a test that failed may have left the daemon on its way back
    Machine.eventually("the daemon answers", () -> machine.docker("version"), result -> result.exit() == 0);
    machine.sh("export DOCKER_HOST=unix://" + machine.apiSocket() + "; s=$(" + Machine.NEW_CLI + " service ls -q); [ -z \"$s\" ] || " + Machine.NEW_CLI + " service rm $s");
    Machine.eventually("no container is left", () -> machine.engine("ps", "-aq").text(), String::isEmpty);
    machine.sh("export DOCKER_HOST=unix://" + machine.apiSocket() + "; for n in $(" + Machine.NEW_CLI
        + " network ls -q --filter driver=overlay --format '{{.Name}}' | grep -v '^ingress$'); do " + Machine.NEW_CLI + " network rm $n; done");
  }

  /** Creates a service without waiting for it. */
  String create(String... options) {
    String[] words = new String[options.length + 3];
    words[0] = "service";
    words[1] = "create";
    words[2] = "--detach";
    System.arraycopy(options, 0, words, 3, options.length);
    return machine.docker(words).succeeds().lines().getLast();
  }

  /** The whole history of a service, untruncated. */
  String history(String service) {
    return machine.docker("service", "ps", "--no-trunc", service).output();
  }

  /** Waits until the history of the service shows the text. */
  String showsUp(String service, String text) {
    return Machine.eventually("`service ps " + service + "` shows: " + text, () -> history(service), seen -> seen.contains(text));
  }
}
