package dev.skep.skepd.e2e;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestInstancePostProcessor;

/** A class of scenarios on three hosts. All classes share one lab; each scenario leaves it as it found it. */
@Tag("e2e")
@Tag("engine")
@ExtendWith(ThreeNodes.Shared.class)
abstract class ThreeNodes {
  static final String IMAGE = "skep-hello:1";
  Lab lab;

  /** The lab goes down when the last test of the process has run. */
  static final class Shared implements TestInstancePostProcessor {
    @Override
    public void postProcessTestInstance(Object instance, ExtensionContext context) {
      ((ThreeNodes) instance).lab =
          context.getRoot().getStore(ExtensionContext.Namespace.GLOBAL).getOrComputeIfAbsent("three nodes", _ -> Lab.up("e2e", 3), Lab.class);
    }
  }

  @BeforeEach
  void sayWhere(TestInfo test) {
    lab.nodes().forEach(node -> lab.sh(node, "echo '-- " + test.getDisplayName() + "' >>/var/lib/skep/log/skepd.log"));
  }

  @AfterEach
  void removeEverything() {
    lab.mend();
    String cli = "export DOCKER_HOST=" + lab.api(1) + "; ";
    Command.of("sh", "-c", cli + "s=$(docker service ls -q); [ -z \"$s\" ] || docker service rm $s").run();
    Command.of("sh", "-c", cli + "for n in 1 2 3; do docker node inspect node$n --format '{{range $k, $v := .Spec.Labels}}{{$k}} {{end}}' | tr ' ' '\\n' | grep . "
        + "| while read l; do docker node update --label-rm $l node$n; done; done").run();
    Invariants.nothingIsLeft(lab);
    Command.of("sh", "-c", cli + "for n in $(docker network ls --filter driver=overlay --format '{{.Name}}' | grep -v '^ingress$'); do docker network rm $n; done").run();
  }

  /** Creates a service without waiting for it. */
  void create(String... options) {
    List<String> words = new ArrayList<>(List.of("service", "create", "--detach", "--no-resolve-image"));
    words.addAll(List.of(options));
    lab.docker(words.toArray(String[]::new)).succeeds();
  }

  /** Waits until the history of the service shows the text. */
  void showsUp(String service, String text) {
    Machine.eventually("`service ps " + service + "` shows: " + text, () -> lab.docker("service", "ps", "--no-trunc", service).output(), seen -> seen.contains(text));
  }

  /** A row of `service create` for a service of sleeping tasks. */
  void sleepers(String service, String... options) {
    List<String> words = new ArrayList<>(List.of("--name", service, "--entrypoint", "sleep", "--stop-signal", "SIGKILL"));
    words.addAll(List.of(options));
    words.addAll(List.of(IMAGE, "100000"));
    create(words.toArray(String[]::new));
  }
}
