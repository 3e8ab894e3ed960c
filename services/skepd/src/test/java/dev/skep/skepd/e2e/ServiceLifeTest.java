package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Services from creation to removal, as the docker CLI shows them. */
class ServiceLifeTest extends OneMachine {
  @Override
  String machineName() {
    return "ske2";
  }

  @Test
  void createShowsProgressAndThePublishedPortAlternatesExactly() {
    Command.Result created = machine.docker("service", "create", "--name", "myweb", "--replicas", "2", "-p", "80:80", IMAGE).succeeds();
    assertThat(created.output()).contains("overall progress: 2 out of 2 tasks").containsPattern("verify: Service (\\w{25} )?converged");
    alternates("http://127.0.0.1:80/");
    alternates("http://" + Machine.ADDRESS + ":80/");
    assertThat(machine.outside("curl -s -m 5 http://" + Machine.ADDRESS + "/").text()).startsWith("greetings from");

    assertThat(machine.docker("service", "ls").succeeds().output()).containsPattern("myweb +replicated +2/2 +skep-hello:1 +\\*:80->80/tcp");
    assertThat(machine.oldDocker("service", "ls").succeeds().output()).containsPattern("myweb +replicated +2/2 +skep-hello:1 +\\*:80->80/tcp");
    for (String history : List.of(machine.docker("service", "ps", "myweb").succeeds().output(), machine.oldDocker("service", "ps", "myweb").succeeds().output())) {
      assertThat(history).containsPattern("myweb\\.1 +skep-hello:1 +\\S+ +Running +Running \\d+ seconds ago").contains("myweb.2");
    }
    assertThat(machine.engine("ps", "--format", "{{.Names}}").lines()).allMatch(name -> name.matches("myweb\\.[12]\\.\\w{25}"));
    assertThat(machine.docker("service", "inspect", "--pretty", "myweb").succeeds().output()).contains("PublishedPort = 80");
    assertThat(machine.docker("service", "logs", "myweb").exit()).isZero();
  }

  private void alternates(String url) {
    List<String> answers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      answers.add(machine.get(url));
    }
    assertThat(answers).allMatch(answer -> answer.startsWith("greetings from"));
    assertThat(answers.get(0)).isNotEqualTo(answers.get(1));
    for (int i = 2; i < answers.size(); i++) {
      assertThat(answers.get(i)).as("answers in turn: %s", answers).isEqualTo(answers.get(i - 2));
    }
  }

  @Test
  void scaleUpAndDownAndRemove() {
    create("--name", "scaled", "--replicas", "1", IMAGE);
    machine.replicas("scaled", "1/1");
    assertThat(machine.docker("service", "scale", "scaled=4").succeeds().output()).contains("overall progress: 4 out of 4 tasks");
    assertThat(machine.engine("ps", "-q").lines()).hasSize(4);
    machine.docker("service", "scale", "scaled=2").succeeds();
    Machine.eventually("two containers are left", () -> machine.engine("ps", "-q").lines().size(), left -> left == 2);
    machine.docker("service", "rm", "scaled").succeeds();
    assertThat(machine.docker("service", "ls", "-q").text()).isEmpty();
    Machine.eventually("no container is left", () -> machine.engine("ps", "-aq").text(), String::isEmpty);
  }

  @Test
  void globalModeRunsOneTaskOnTheNode() {
    assertThat(machine.docker("service", "create", "--name", "everywhere", "--mode", "global", IMAGE).succeeds().output()).contains("converged");
    assertThat(machine.docker("service", "ls").output()).containsPattern("everywhere +global +1/1");
    String node = machine.docker("node", "ls", "-q").text();
    assertThat(machine.engine("ps", "--format", "{{.Names}}").text()).matches("everywhere\\." + node + "\\.\\w{25}");
  }

  @Test
  void aKilledContainerIsReplacedAndItsHistoryTold() {
    create("--name", "myweb", "--replicas", "1", "--restart-delay", "0s", IMAGE);
    machine.replicas("myweb", "1/1");
    machine.engine("rm", "-f", machine.engine("ps", "-q").text()).succeeds();
    String history = showsUp("myweb", "task: non-zero exit (137)");
    assertThat(history).containsPattern("\\\\_ myweb\\.1 .*Failed.*\"task: non-zero exit \\(137\\)\"");
    machine.replicas("myweb", "1/1");
  }

  @Test
  void anUpdateReplacesTasksAndALabelOnlyChangeDoesNot() {
    create("--name", "changing", "--replicas", "2", IMAGE);
    machine.replicas("changing", "2/2");
    String before = machine.engine("ps", "-q").text();
    machine.docker("service", "update", "--label-add", "x=y", "changing").succeeds();
    assertThat(machine.engine("ps", "-q").text()).isEqualTo(before);
    machine.docker("service", "update", "--env-add", "A=b", "changing").succeeds();
    assertThat(machine.engine("ps", "-q").lines()).hasSize(2).doesNotContainAnyElementsOf(before.lines().toList());
    assertThat(machine.docker("service", "inspect", "--pretty", "changing").output()).contains("update completed");
  }

  @Test
  void environmentMountsAndOptionsReachTheContainer() {
    create("--name", "options", "--env", "COLOUR=green", "--hostname", "web-{{.Task.Slot}}", "--mount", "type=tmpfs,target=/scratch", "--mount",
        "type=volume,source=kept,target=/kept", "--limit-memory", "32M", "--user", "0", "--workdir", "/tmp", "--container-label", "a=b", IMAGE);
    machine.replicas("options", "1/1");
    String container = machine.engine("ps", "-q").text();
    String seen = machine.engine("exec", container, "sh", "-c", "echo $COLOUR; hostname; busybox pwd; busybox mount").succeeds().output();
    assertThat(seen).contains("green", "web-1", "/tmp", "/scratch", "/kept");
    assertThat(machine.engine("inspect", "-f", "{{.HostConfig.Memory}} {{index .Config.Labels \"a\"}} {{index .Config.Labels \"com.docker.swarm.service.name\"}}", container).text())
        .isEqualTo("33554432 b options");
    machine.engine("volume", "rm", "-f", "kept");
  }

  @Test
  void logsOfAServiceComeFromItsTasks() {
    create("--name", "talker", "--entrypoint", "sh", IMAGE, "-c", "echo first line; echo second line; sleep 1000");
    machine.replicas("talker", "1/1");
    Machine.eventually("the log is there", () -> machine.docker("service", "logs", "talker").output(),
        seen -> seen.matches("(?s).*talker\\.1\\.\\w+@\\S+ +\\| first line\\n.*second line.*"));
    assertThat(machine.docker("service", "logs", "--raw", "--tail", "1", "talker").succeeds().text()).isEqualTo("second line");
  }
}
