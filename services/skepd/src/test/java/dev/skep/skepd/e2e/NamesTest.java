package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Service discovery: VIPs, task addresses, several networks, firewalls. */
class NamesTest extends OneMachine {
  @Override
  String machineName() {
    return "ske4";
  }

  @BeforeEach
  void aServerOfTwoTasks() {
    machine.docker("network", "create", "-d", "overlay", "back").succeeds();
    create("--name", "server", "--replicas", "2", "--network", "back", IMAGE);
    machine.replicas("server", "2/2");
  }

  private String client(String... options) {
    List<String> words = new ArrayList<>(List.of("--name", "client", "--entrypoint", "sleep"));
    words.addAll(List.of(options));
    words.addAll(List.of(IMAGE, "100000"));
    create(words.toArray(String[]::new));
    machine.replicas("client", "1/1");
    return container("client");
  }

  private String container(String service) {
    return machine.engine("ps", "-q", "--filter", "label=com.docker.swarm.service.name=" + service).lines().getFirst();
  }

  private List<String> answers(String container, String host, int count) {
    return machine.engine("exec", container, "sh", "-c", "for i in $(busybox seq " + count + "); do busybox timeout 5 wget -q -O - http://" + host + "/; done").lines();
  }

  private void inTurn(List<String> answers, int count) {
    assertThat(answers).hasSize(count).allMatch(line -> line.startsWith("greetings from"));
    assertThat(answers.get(0)).isNotEqualTo(answers.get(1));
    for (int i = 2; i < count; i++) {
      assertThat(answers.get(i)).as("in turn: %s", answers).isEqualTo(answers.get(i - 2));
    }
  }

  @Test
  void aClientReachesBothTasksInTurnThroughTheVip() {
    String client = client("--network", "back");
    inTurn(answers(client, "server", 8), 8);
    assertThat(machine.engine("exec", client, "nslookup", "server").output()).contains("Name:\tserver");
    assertThat(addresses(client, "tasks.server")).hasSize(2);
    assertThat(addresses(client, "server")).hasSize(1);
  }

  @Test
  void aTaskReachesItsOwnServiceInTurn() {
    inTurn(answers(container("server"), "server", 8), 8);
  }

  @Test
  void withoutVipTheNameGivesTheTasks() {
    create("--name", "direct", "--replicas", "2", "--network", "back", "--endpoint-mode", "dnsrr", IMAGE);
    machine.replicas("direct", "2/2");
    String client = client("--network", "back");
    assertThat(addresses(client, "direct")).hasSize(2);
    assertThat(answers(client, "direct", 2)).allMatch(line -> line.startsWith("greetings from"));
  }

  @Test
  void aNameOnTheSecondNetworkOfAClientResolves() {
    machine.docker("network", "create", "-d", "overlay", "aaa").succeeds();
    String client = client("--network", "aaa", "--network", "back");
    inTurn(answers(client, "server", 4), 4);
  }

  @Test
  void ndotsOfTheUserDoesNotHideNames() {
    String client = client("--network", "back", "--dns-option", "ndots:2");
    inTurn(answers(client, "server", 4), 4);
  }

  @Test
  void aDefaultDenyFirewallAndAPublishedPort53DoNotHideNames() {
    machine.sh("iptables -P INPUT DROP && iptables -A INPUT -i lo -j ACCEPT && iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT").succeeds();
    try {
      create("--name", "fiftythree", "-p", "53:80", "-p", "53:80/udp", IMAGE);
      machine.replicas("fiftythree", "1/1");
      String client = client("--network", "back");
      inTurn(answers(client, "server", 4), 4);
      assertThat(machine.get("http://127.0.0.1:53/")).startsWith("greetings from");
    } finally {
      machine.sh("iptables -P INPUT ACCEPT; iptables -D INPUT -i lo -j ACCEPT; iptables -D INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT").succeeds();
    }
  }

  @Test
  void servicesOfOtherNetworksAreOutOfReach() {
    machine.docker("network", "create", "-d", "overlay", "elsewhere").succeeds();
    String client = client("--network", "elsewhere");
    assertThat(addresses(client, "server")).isEmpty();
    String address = machine.engine("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container("server")).text();
    assertThat(machine.engine("exec", client, "sh", "-c", "busybox timeout 2 wget -q -O - http://" + address + "/ || echo refused").output()).doesNotContain("greetings");
  }

  private List<String> addresses(String container, String name) {
    return machine.engine("exec", container, "sh", "-c", "nslookup " + name + " | busybox sed -n '/^Name/,$p' | busybox grep -o 'Address.*' | busybox grep -o '[0-9.]*$'").lines();
  }
}
