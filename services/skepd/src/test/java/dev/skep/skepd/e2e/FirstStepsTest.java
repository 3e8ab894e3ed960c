package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The README's first command on a fresh machine, again, down, up again, and purge. */
@Tag("e2e")
@Tag("engine")
class FirstStepsTest {
  private static final String STACK = Machine.HOME.resolve("examples/hello/compose.yaml").toString();

  @Test
  void theFirstCommandBringsUpAStackThatAnswersAndPurgeLeavesNothing() {
    try (Machine machine = Machine.boot("ske1")) {
      String linksBefore = machine.sh("ip -o link | cut -d: -f2 | sort").text();
      Command.Result up = machine.skep("up", "--stack", STACK).succeeds();
      assertThat(up.output()).contains("hello from").contains("which heard: greetings from").contains("export DOCKER_HOST=unix://" + machine.apiSocket());
      assertThat(distinctAnswers(machine, 6)).hasSize(3);

      long daemon = machine.pid("skepd");
      String containers = machine.engine("ps", "-q", "--no-trunc").text();
      machine.skep("up", "--stack", STACK).succeeds();
      machine.oldDocker("stack", "deploy", "--resolve-image", "never", "-c", STACK, "hello").succeeds(); // what a fresh Debian machine has
      assertThat(machine.pid("skepd")).as("a second up leaves the daemon as it is").isEqualTo(daemon);
      assertThat(machine.engine("ps", "-q", "--no-trunc").text()).as("an unchanged stack restarts no task").isEqualTo(containers);

      machine.skep("down").succeeds();
      assertThat(machine.pid("skepd")).isEqualTo(-1);
      assertThat(distinctAnswers(machine, 6)).as("containers and edge serve without the daemon").hasSize(3);
      machine.skep("up").succeeds();
      machine.replicas("hello_web", "3/3");
      assertThat(machine.engine("ps", "-q", "--no-trunc").text()).as("the containers were adopted").isEqualTo(containers);

      machine.skep("down", "--purge").succeeds();
      assertThat(machine.engine("ps", "-aq").text()).isEmpty();
      assertThat(machine.engine("network", "ls", "--format", "{{.Name}}").lines()).containsExactlyInAnyOrder("bridge", "host", "none");
      assertThat(machine.sh("nft list tables").text()).doesNotContain("skep");
      assertThat(machine.sh("ip -o link | cut -d: -f2 | sort").text()).isEqualTo(linksBefore);
      assertThat(machine.sh("ip route show table all | grep skb; iptables-save | grep -i -e skep -e skb").text()).isEmpty();
      assertThat(machine.data()).doesNotExist();
    }
  }

  private static List<String> distinctAnswers(Machine machine, int requests) {
    return IntStream.range(0, requests).mapToObj(i -> machine.get("http://127.0.0.1:8080/").replaceAll(",.*", "")).distinct().toList();
  }
}
