package dev.skep.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.api.v1.EngineDescription;
import dev.skep.api.v1.NodeDescription;
import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.Platform;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Placement constraints, with swarm's rules: keys and values in any case, names of labels as they are. */
class ConstraintTest {
  private static final NodeRecord NODE =
      new NodeRecord(
          "abc1",
          NodeSpecRow.newBuilder().setSpec(NodeSpec.newBuilder().setRole("worker").putLabels("zone", "East").putLabels("Rack", "7")).build(),
          NodeStatusRow.newBuilder()
              .setAddr("10.203.0.2")
              .setDescription(
                  NodeDescription.newBuilder()
                      .setHostname("worker1")
                      .setPlatform(Platform.newBuilder().setOs("linux").setArchitecture("x86_64"))
                      .setEngine(EngineDescription.newBuilder().putLabels("storage", "ssd")))
              .build());

  /** Admitted, and not heard of yet. */
  private static final NodeRecord SILENT =
      new NodeRecord("abc2", NodeSpecRow.newBuilder().setSpec(NodeSpec.newBuilder().setRole("worker")).build(),
          NodeStatusRow.getDefaultInstance());

  @ParameterizedTest
  @CsvSource({
    "node.id == abc1, true", "node.id==ABC1, true", "node.id == abc, false", "node.id != abc1, false", "NODE.ID == abc1, true",
    "node.hostname == worker1, true", "node.hostname == WORKER1, true", "node.hostname != worker2, true", "node.hostname == worker*, false",
    "node.role == worker, true", "node.role == Manager, false", "node.role != manager, true",
    "node.ip == 10.203.0.2, true", "node.ip != 10.203.0.2, false", "node.ip == 10.203.0.0/16, true", "node.ip != 10.203.0.0/16, false",
    "node.ip == 10.204.0.0/16, false", "node.ip != 10.204.0.0/16, true", "node.ip == 10.203.0, false", "node.ip != 10.203.0, false",
    "node.ip == 10.203.0.0/77, false", "node.ip != 10.203.0.0/77, false", "node.ip == 2001:db8::2, false", "node.ip != 2001:db8::2, true",
    "node.platform.os == Linux, true", "node.platform.os != windows, true", "node.platform.arch == x86_64, true",
    "node.platform.arch == X86_64, true", "node.platform.arch == amd64, false",
    "node.labels.zone == east, true", "node.labels.zone != west, true", "NODE.LABELS.zone == east, true", "node.labels.Zone == east, false",
    "node.labels.rack == 7, false", "node.labels.Rack == 7, true", "node.labels.none == 7, false", "node.labels.none != 7, true",
    "engine.labels.storage == SSD, true", "engine.labels.storage != hdd, true", "engine.labels.zone == east, false",
    "node.label.zone == east, false", "node.label.zone != east, false", "node.labels. == east, false",
  })
  void oneByOne(String expression, boolean met) throws Exception {
    assertThat(Constraint.parse(expression).matches(NODE)).isEqualTo(met);
  }

  @ParameterizedTest
  @CsvSource({
    "node.hostname == worker1, false", "node.hostname != worker1, true", "node.ip == 10.0.0.1, false", "node.ip != 10.0.0.1, true",
    "node.platform.os == linux, false", "node.platform.os != linux, true", "engine.labels.a != b, true", "node.role == worker, true",
  })
  void ofANodeThatHasSaidNothingYet(String expression, boolean met) throws Exception {
    assertThat(Constraint.parse(expression).matches(SILENT)).isEqualTo(met);
  }

  @Test
  void allHaveToHold() {
    assertThat(Constraint.allMatch(List.of(), NODE)).isTrue();
    assertThat(Constraint.allMatch(List.of("node.role == worker", "node.labels.zone == east"), NODE)).isTrue();
    assertThat(Constraint.allMatch(List.of("node.role == worker", "node.labels.zone == west"), NODE)).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "node.role = worker|constraint expected one operator from ==, !=",
        "node.role|constraint expected one operator from ==, !=",
        "node.role > worker|constraint expected one operator from ==, !=",
        "1node == worker|key '1node' is invalid",
        "node role == worker|key 'node role' is invalid",
        "node.role == a==b|value 'a==b' is invalid",
        "node.role == ~a|value '~a' is invalid",
        "node.role ==|value '' is invalid",
      })
  void whatCannotBeReadIsRefusedInSwarmsWords(String expression, String message) {
    assertThatThrownBy(() -> Constraint.parse(expression)).isInstanceOf(Constraint.Malformed.class).hasMessage(message);
  }
}
