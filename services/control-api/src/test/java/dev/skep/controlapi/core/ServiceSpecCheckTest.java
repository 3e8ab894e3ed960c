package dev.skep.controlapi.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.PortConfig;
import dev.skep.api.v1.ServiceSpec;
import dev.skep.state.Rows;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every refusal of a service with the engine's own words; where these were recorded, they are the recorded ones. */
class ServiceSpecCheckTest {
  private static final String IA = "rpc error: code = InvalidArgument desc = ";
  private static final String UNKNOWN = "rpc error: code = Unknown desc = ";
  private static final String NOT_BUILT = "rpc error: code = Unimplemented desc = %s is not built yet in this version of Skep: ";

  /** A body that is fine but for what is put in the place of the dots: the container's, the task's and the service's fields. */
  private static String body(String container, String task, String service) {
    return "{\"Name\":\"web\",\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"busybox\"" + container + "}" + task + "}" + service + "}";
  }

  private static Arguments container(int status, String message, String fields) {
    return Arguments.of(body("," + fields, "", ""), status, message);
  }

  private static Arguments task(int status, String message, String fields) {
    return Arguments.of(body("", "," + fields, ""), status, message);
  }

  private static Arguments service(int status, String message, String fields) {
    return Arguments.of(body("", "", "," + fields), status, message);
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of("{}", 400, "mismatched Runtime and *Spec fields"),
        Arguments.of("{\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"a\"}}}", 400, IA + "meta: name must be provided"),
        service(400, IA + "name must be valid as a DNS name component", "\"Name\":\"a b\""),
        service(400, IA + "name must be valid as a DNS name component", "\"Name\":\"-a\""),
        service(400, IA + "name must be 63 characters or fewer", "\"Name\":\"" + "a".repeat(64) + "\""),
        service(400, IA + "name must be valid as a DNS name component", "\"Name\":\"" + "a-".repeat(100_000) + "\""),
        service(400, IA + "name must be 63 characters or fewer", "\"Name\":\"" + "a-_b".repeat(100_000) + "\""),
        container(400, IA + "ContainerSpec: image reference must be provided", "\"Image\":\"\""),
        container(400, IA + "ContainerSpec: \"UPPER/Case:x y\" is not a valid repository/tag", "\"Image\":\"UPPER/Case:x y\""),
        container(400, IA + "ContainerSpec: duplicate mount point: /x",
            "\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/x\"},{\"Type\":\"tmpfs\",\"Target\":\"/x\"}]"),
        container(400, "invalid MountType: \"disk\"", "\"Mounts\":[{\"Type\":\"disk\",\"Target\":\"/x\"}]"),
        container(400, "invalid MountPropagation: \"x\"",
            "\"Mounts\":[{\"Type\":\"bind\",\"Target\":\"/x\",\"BindOptions\":{\"Propagation\":\"x\"}}]"),
        container(400, "invalid Seccomp mode: \"x\"", "\"Privileges\":{\"Seccomp\":{\"Mode\":\"x\"}}"),
        container(400, IA + "ContainerSpec: Interval in HealthConfig cannot be less than 1ms", "\"Healthcheck\":{\"Interval\":5}"),
        container(400, IA + "ContainerSpec: Retries in HealthConfig cannot be negative", "\"Healthcheck\":{\"Retries\":-1}"),
        container(400,
            IA + "expanding hostname failed: template: expansion:1:6: executing \"expansion\" at <.Foo.Bar>: "
                + "can't evaluate field Foo in type *template.Context",
            "\"Hostname\":\"{{.Foo.Bar}}\""),
        container(400,
            IA + "expanding hostname failed: template: expansion:1:9: executing \"expansion\" at <.Task.Hostname>: "
                + "can't evaluate field Hostname in type struct { ID string; Name string; Slot string }",
            "\"Hostname\":\"a-{{.Task.Hostname}}\""),
        container(400, IA + "expanding hostname failed: template: expansion:1: unclosed action", "\"Hostname\":\"a-{{.Task.Slot\""),
        task(400, IA + "invalid cpu value 1e-05: Must be at least 0.001", "\"Resources\":{\"Limits\":{\"NanoCPUs\":10000}}"),
        task(400, IA + "invalid memory value 1048576: Must be at least 4MiB", "\"Resources\":{\"Reservations\":{\"MemoryBytes\":1048576}}"),
        task(400, "invalid RestartCondition: \"sometimes\"", "\"RestartPolicy\":{\"Condition\":\"sometimes\"}"),
        task(400, IA + "TaskSpec: restart-delay cannot be negative", "\"RestartPolicy\":{\"Delay\":-1}"),
        task(500, UNKNOWN + "constraint expected one operator from ==, !=", "\"Placement\":{\"Constraints\":[\"node.role=manager\"]}"),
        task(500, UNKNOWN + "key 'no de' is invalid", "\"Placement\":{\"Constraints\":[\"no de==x\"]}"),
        task(500, UNKNOWN + "value '' is invalid", "\"Placement\":{\"Constraints\":[\"node.role==\"]}"),
        task(400, "unsupported runtime", "\"Runtime\":\"wasm\""),
        task(404, "network nosuch not found", "\"Networks\":[{\"Target\":\"nosuch\"}]"),
        task(400, IA + "Service cannot be explicitly attached to the ingress network \"ingress\"",
            "\"Networks\":[{\"Target\":\"ingress\"}]"),
        service(400, "unrecognized update order random", "\"UpdateConfig\":{\"Parallelism\":1,\"Order\":\"random\"}"),
        service(400, "unrecognized update failure action explode", "\"UpdateConfig\":{\"Parallelism\":1,\"FailureAction\":\"explode\"}"),
        service(400, IA + "TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1",
            "\"UpdateConfig\":{\"MaxFailureRatio\":1.5}"),
        service(400, IA + "TaskSpec: update-delay cannot be negative", "\"UpdateConfig\":{\"Delay\":-1}"),
        service(400, "must specify only one service mode", "\"Mode\":{\"Replicated\":{},\"Global\":{}}"),
        service(400, IA + "Jobs may not have an update config", "\"Mode\":{\"GlobalJob\":{}},\"UpdateConfig\":{\"Parallelism\":1}"),
        service(400, "invalid resolution mode: \"x\"", "\"EndpointSpec\":{\"Mode\":\"x\"}"),
        service(400, IA + "EndpointSpec: port published with ingress mode can't be used with dnsrr mode",
            "\"EndpointSpec\":{\"Mode\":\"dnsrr\",\"Ports\":[{\"TargetPort\":80}]}"),
        service(400, IA + "EndpointSpec: duplicate published ports provided",
            "\"EndpointSpec\":{\"Ports\":[{\"TargetPort\":80,\"PublishedPort\":8},{\"TargetPort\":81,\"PublishedPort\":8}]}"),
        service(400, IA + "port '8080' is already in use by service 'myweb' (svc1) as an ingress port",
            "\"EndpointSpec\":{\"Ports\":[{\"TargetPort\":80,\"PublishedPort\":8080}]}"),
        service(400, IA + "port '8080' is already in use by service 'myweb' (svc1) as an ingress port",
            "\"EndpointSpec\":{\"Ports\":[{\"TargetPort\":80,\"PublishedPort\":8080,\"PublishMode\":\"host\"}]}"),
        service(400, IA + "port '8300' is already in use by service 'hp' (svc2) as a host-published port",
            "\"EndpointSpec\":{\"Ports\":[{\"TargetPort\":80,\"PublishedPort\":8300}]}"));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void inTheEnginesWords(String body, int status, String message) {
    ApiError error = error(NormalisedTest.read(body));
    assertThat(error.message()).isEqualTo(message);
    assertThat(error.httpStatus()).isEqualTo(status);
  }

  static Stream<Arguments> notBuilt() {
    return Stream.of(
        service(501, "mode replicated-job", "\"Mode\":{\"ReplicatedJob\":{}}"),
        service(501, "mode global-job", "\"Mode\":{\"GlobalJob\":{}}"),
        service(501, "update_config.parallelism 2", "\"UpdateConfig\":{\"Parallelism\":2}"),
        service(501, "update_config.parallelism 0", "\"UpdateConfig\":{}"),
        service(501, "update_config.delay", "\"UpdateConfig\":{\"Parallelism\":1,\"Delay\":1000000000}"),
        service(501, "update_config.failure_action rollback", "\"UpdateConfig\":{\"Parallelism\":1,\"FailureAction\":\"rollback\"}"),
        service(501, "update_config.monitor", "\"UpdateConfig\":{\"Parallelism\":1,\"Monitor\":1000000000}"),
        service(501, "update_config.max_failure_ratio", "\"UpdateConfig\":{\"Parallelism\":1,\"MaxFailureRatio\":0.5}"),
        service(501, "rollback_config.order start-first", "\"RollbackConfig\":{\"Parallelism\":1,\"Order\":\"start-first\"}"),
        service(501, "port protocol sctp", "\"EndpointSpec\":{\"Ports\":[{\"Protocol\":\"sctp\",\"TargetPort\":80}]}"),
        container(501, "secret \"s\"", "\"Secrets\":[{\"SecretName\":\"s\"}]"),
        container(501, "config \"c\"", "\"Configs\":[{\"ConfigName\":\"c\"}]"),
        container(501, "credential spec", "\"Privileges\":{\"CredentialSpec\":{\"File\":\"f\"}}"),
        container(501, "mount type cluster (CSI volumes)", "\"Mounts\":[{\"Type\":\"cluster\",\"Target\":\"/x\"}]"),
        container(501, "volume option subpath",
            "\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/x\",\"VolumeOptions\":{\"Subpath\":\"a\"}}]"),
        container(501, "the template expression {{.Service.Labels}}", "\"Hostname\":\"{{.Service.Labels}}\""),
        container(501, "the template expression {{if .Task}}", "\"Hostname\":\"{{if .Task}}x{{end}}\""),
        task(501, "generic resources",
            "\"Resources\":{\"Reservations\":{\"GenericResources\":[{\"DiscreteResourceSpec\":{\"Kind\":\"g\",\"Value\":1}}]}}"),
        task(501, "runtime \"plugin\"", "\"Runtime\":\"plugin\""),
        task(501, "network \"host\" for services", "\"Networks\":[{\"Target\":\"host\"}]"));
  }

  @ParameterizedTest
  @MethodSource("notBuilt")
  void whatIsNotBuiltAnswersWithItsName(String body, int status, String name) {
    ApiError error = error(NormalisedTest.read(body));
    assertThat(error.message()).startsWith(NOT_BUILT.formatted(name));
    assertThat(error.httpStatus()).isEqualTo(status);
  }

  static Stream<Arguments> accepted() {
    return Stream.of(
        service(0, "", "\"UpdateConfig\":{\"Parallelism\":1,\"FailureAction\":\"pause\",\"Monitor\":5000000000,\"Order\":\"stop-first\"}"),
        service(0, "", "\"RollbackConfig\":{\"Parallelism\":1}"),
        service(0, "", "\"Mode\":{\"Global\":{}}"),
        service(0, "", "\"Mode\":{\"Replicated\":{\"Replicas\":0}}"),
        service(0, "", "\"EndpointSpec\":{\"Ports\":[{\"TargetPort\":80,\"PublishedPort\":8300,\"PublishMode\":\"host\"}]}"),
        service(0, "",
            "\"EndpointSpec\":{\"Ports\":[{\"TargetPort\":80,\"PublishedPort\":53},"
                + "{\"Protocol\":\"udp\",\"TargetPort\":80,\"PublishedPort\":53}]}"),
        service(0, "",
            "\"EndpointSpec\":{\"Mode\":\"dnsrr\",\"Ports\":[{\"TargetPort\":80,\"PublishedPort\":5,\"PublishMode\":\"host\"}]}"),
        task(0, "", "\"Placement\":{\"Constraints\":[\"foo.bar==x\",\"node.labels.zone != b c\"],\"MaxReplicas\":2}"),
        container(0, "",
            "\"Hostname\":\"web-{{.Task.Slot}}-{{ .Node.Hostname }}\","
                + "\"Env\":[\"A={{.Service.Labels.x}}\",\"B={{index .Service.Labels \\\"a.b\\\"}}\"]"),
        container(0, "", "\"Privileges\":{\"CredentialSpec\":null,\"SELinuxContext\":null,\"NoNewPrivileges\":true}"),
        container(0, "", "\"Privileges\":{\"Seccomp\":{\"Mode\":\"unconfined\"},\"AppArmor\":{\"Mode\":\"disabled\"}}"),
        container(0, "", "\"Env\":[\"A={{- .Task.Slot -}}\",\"B={{`{{`}}\"]"),
        container(0, "", "\"Healthcheck\":{\"Test\":[\"NONE\"]},\"Ulimits\":[{\"Name\":\"nofile\",\"Hard\":2,\"Soft\":1}]"));
  }

  @ParameterizedTest
  @MethodSource("accepted")
  void whatIsBuiltIsAccepted(String body, int status, String message) {
    assertThat(ServiceSpecCheck.accept(rows().state(), NormalisedTest.read(body), "")).isInstanceOf(Answer.Ok.class);
  }

  @Test
  void aServiceDoesNotConflictWithItself() {
    String ports = ",\"EndpointSpec\":{\"Ports\":[{\"TargetPort\":80,\"PublishedPort\":8080}]}";
    assertThat(ServiceSpecCheck.accept(rows().state(), NormalisedTest.read(body("", "", ports)), "svc1")).isInstanceOf(Answer.Ok.class);
  }

  @Test
  void updatesMayNotChangeNameOrMode() {
    var now = rows().state().value(Rows.SERVICE.key("svc1"));
    ServiceSpec same = NormalisedTest.read("{\"Name\":\"myweb\",\"Mode\":{\"Replicated\":{\"Replicas\":4}}}");
    assertThat(ServiceSpecCheck.change(now, same)).isEmpty();
    ApiError renamed = ServiceSpecCheck.change(now, same.toBuilder().setName("x").build()).orElseThrow();
    assertThat(renamed.message()).isEqualTo("rpc error: code = Unimplemented desc = renaming services is not supported");
    assertThat(renamed.httpStatus()).isEqualTo(501);
    assertThat(ServiceSpecCheck.change(now, NormalisedTest.read("{\"Name\":\"myweb\",\"Mode\":{\"Global\":{}}}")).orElseThrow().message())
        .isEqualTo("rpc error: code = Unimplemented desc = service mode change is not allowed");
  }

  @Test
  void imageNames() {
    for (String good
        : new String[] {"busybox", "busybox:1.36", "a/b/c:x", "127.0.0.1:5000/bb:2", "localhost/x", "Host.example/x", "[::1]:5000/x",
        "a__b/c-d.e_f",
        "x@sha256:" + "a".repeat(64), "x:1@sha256:" + "a".repeat(64)}) {
      assertThat(ImageReference.valid(good)).as(good).isTrue();
    }
    for (String bad
        : new String[] {"", "A", "a b", "a:", ":x", "a//b", "/a", "a/", "a:x:y", "a@sha256:short", "a".repeat(64), "-a", "a".repeat(300),
        "a___b", "http://x/y"}) {
      assertThat(ImageReference.valid(bad)).as(bad).isFalse();
    }
  }

  private static Rowset rows() {
    return new Rowset()
        .network("net0", "ingress", true)
        .service("svc1", "myweb", port(8080, "ingress"))
        .service("svc2", "hp", port(8300, "host"));
  }

  private static EndpointSpec port(int published, String mode) {
    return EndpointSpec.newBuilder()
        .setMode("vip")
        .addPorts(PortConfig.newBuilder().setProtocol("tcp").setTargetPort(80).setPublishedPort(published).setPublishMode(mode))
        .build();
  }

  private static ApiError error(ServiceSpec sent) {
    return switch (ServiceSpecCheck.accept(rows().state(), sent, "")) {
      case Answer.Refused<ServiceSpec> refused -> refused.error();
      case Answer.Ok<ServiceSpec> ok -> throw new AssertionError("accepted: " + ok.value());
    };
  }
}
