package dev.skep.controlapi.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.google.protobuf.Message;
import dev.skep.api.v1.ContainerSpec;
import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.IPAM;
import dev.skep.api.v1.IPAMPool;
import dev.skep.api.v1.InitRequest;
import dev.skep.api.v1.NetworkAttachmentConfig;
import dev.skep.api.v1.NetworkCreateRequest;
import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.PortConfig;
import dev.skep.api.v1.ServiceSpec;
import dev.skep.api.v1.TaskSpec;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Guard;
import dev.skep.state.IdSource;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.RowKind;
import dev.skep.state.Rows;
import dev.skep.state.Tick;
import dev.skep.state.Write;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.RolloutRow;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.view.ServiceView;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What accepted requests write, applied to a state as the store would: guards included. */
class WritesTest {
  private final IdSource ids = new IdSource(new Random(7));
  private final Tick tick = new Tick(Instant.parse("2026-11-21T00:00:00Z"), ids);
  private ClusterState state = ClusterState.empty();
  private String node;

  @BeforeEach
  void init() {
    ClusterWrites.Founding founding = new ClusterWrites.Founding(ids.next(), ids.next(), ids.next(), "pem", new byte[1], new byte[1],
        Map.of());
    node = accept(ClusterWrites.init(state, InitRequest.getDefaultInstance(), founding, ids.next(), tick));
  }

  /** Commits what was planned, each change set one revision; a guard that does not hold fails the test. */
  private String accept(Answer<Planned<String>> answer) {
    if (!(answer instanceof Answer.Ok<Planned<String>>(Planned<String> planned))) {
      throw new AssertionError(((Answer.Refused<Planned<String>>) answer).error().message());
    }
    planned.changes().forEach(this::commit);
    return planned.answer();
  }

  private static String refused(Answer<Planned<String>> answer) {
    return answer instanceof Answer.Refused<Planned<String>>(ApiError error) ? error.message() : "accepted";
  }

  private void commit(ChangeSet change) {
    for (Guard guard : change.guards()) {
      Row<?> row = state.row(guard.key());
      boolean holds =
          switch (guard) {
            case Guard.Unmodified unmodified -> row != null && row.modRevision() == unmodified.modRevision();
            case Guard.Present _ -> row != null;
            case Guard.Absent _ -> row == null;
          };
      assertThat(holds).as("guard " + guard).isTrue();
    }
    List<ClusterState.Stored> stored = new ArrayList<>();
    long revision = state.revision() + 1;
    for (Write write : change.writes()) {
      byte[] value = write instanceof Write.Put<?> put ? put.value().toByteArray() : null;
      Row<?> before = state.row(write.key());
      stored.add(new ClusterState.Stored(write.key().path(), value, before == null ? revision : before.createRevision(), revision));
    }
    state = state.apply(revision, stored).state();
  }

  private <T extends Message> void put(Key<T> key, T value) {
    commit(ChangeSet.about("test").put(key, value).build());
  }

  private static ServiceSpec spec(String name, String... args) {
    return ServiceSpec.newBuilder()
        .setName(name)
        .setTaskTemplate(TaskSpec.newBuilder().setContainerSpec(ContainerSpec.newBuilder().setImage("busybox").addAllArgs(List.of(args))))
        .build();
  }

  private static ServiceSpec publishing(ServiceSpec spec, int port) {
    EndpointSpec endpoint = EndpointSpec.newBuilder().addPorts(PortConfig.newBuilder().setTargetPort(80).setPublishedPort(port)).build();
    return spec.toBuilder().setEndpointSpec(endpoint).build();
  }

  private String create(ServiceSpec spec) {
    return accept(ServiceWrites.create(state, ids.next(), spec, Optional.empty(), tick));
  }

  private Answer<Planned<String>> update(String id, long version, ServiceSpec spec) {
    return ServiceWrites.update(state, id, version, spec, Optional.empty(), tick);
  }

  private long version(String id) {
    return ServiceView.of(state, id).orElseThrow().getVersion().getIndex();
  }

  private int count(RowKind<? extends Message> kind) {
    int count = 0;
    for (Object _ : state.rows(kind)) {
      count++;
    }
    return count;
  }

  @Test
  void aNameIsTakenOnceWhateverItsCase() {
    create(spec("web"));
    assertThat(refused(ServiceWrites.create(state, ids.next(), spec("WEB"), Optional.empty(), tick)))
        .contains("name conflicts with an existing object");
  }

  @Test
  void twoAtOnceOfOneNameConflictInTheStore() {
    Answer<Planned<String>> first = ServiceWrites.create(state, ids.next(), spec("web"), Optional.empty(), tick);
    Answer<Planned<String>> second = ServiceWrites.create(state, ids.next(), spec("web"), Optional.empty(), tick);
    accept(first);
    assertThat(catchThrowable(() -> accept(second))).hasMessageContaining("guard");
  }

  @Test
  void aServiceWithoutANameGetsOne() {
    String id = create(spec(""));
    assertThat(state.value(Rows.SERVICE.key(id)).getCurrent().getName()).startsWith("unnamed_");
  }

  @Test
  void portsAreTakenMovedAndGivenBack() {
    String web = create(publishing(spec("web"), 8080));
    assertThat(refused(ServiceWrites.create(state, ids.next(), publishing(spec("other"), 8080), Optional.empty(), tick)))
        .contains("port '8080' is already in use by service 'web'");
    accept(update(web, version(web), publishing(spec("web"), 8081)));
    String other = create(publishing(spec("other"), 8080));
    accept(ServiceWrites.remove(state, other, Rows.SEALED.key("registry-auth", other)));
    accept(ServiceWrites.remove(state, web, Rows.SEALED.key("registry-auth", web)));
    assertThat(count(Rows.NAME)).as("only the ingress network's name is left").isEqualTo(1);
    assertThat(count(Rows.TEMPLATE)).isZero();
  }

  @Test
  void anUnchangedSpecMakesNoTemplateAndEveryPostMakesAGeneration() {
    String web = create(spec("web"));
    accept(update(web, version(web), spec("web")));
    ServiceRow row = state.value(Rows.SERVICE.key(web));
    assertThat(row.getGeneration()).isEqualTo(2);
    assertThat(row.hasPrevious()).isTrue();
    assertThat(count(Rows.TEMPLATE)).isEqualTo(1);
    accept(update(web, version(web), spec("web", "-v")));
    assertThat(count(Rows.TEMPLATE)).isEqualTo(2);
    assertThat(state.value(Rows.SERVICE.key(web)).getPrevious().getTemplate()).isEqualTo(1);
  }

  @Test
  void theLastTenTemplatesAreKeptAndWhateverAnIntentNames() {
    String web = create(spec("web", "0"));
    put(Rows.INTENT.key("t1"),
        TaskIntentRow.newBuilder().setId("t1").setServiceId(web).setTemplate(1).setDesired(TaskState.TASK_RUNNING).build());
    for (int i = 1; i <= 30; i++) {
      accept(update(web, version(web), spec("web", Integer.toString(i))));
    }
    assertThat(count(Rows.TEMPLATE)).isBetween(11, 13);
    assertThat(state.has(Rows.template(web, 1))).isTrue();
    assertThat(ServiceView.of(state, web).orElseThrow().getSpec().getTaskTemplate().getContainerSpec().getArgs(0)).isEqualTo("30");
  }

  @Test
  void anUpdateLandsOnWhatItsSenderHadRead() {
    String web = create(spec("web"));
    long read = version(web);
    put(Rows.ROLLOUT.key(web), RolloutRow.newBuilder().setServiceId(web).setGeneration(1).setState("updating").build());
    assertThat(version(web)).isGreaterThan(read);
    accept(update(web, read, spec("web", "a"))); // the orchestrator's progress costs nobody an update
    assertThat(refused(update(web, read, spec("web", "b")))).isEqualTo("rpc error: code = Unknown desc = update out of sequence");
    assertThat(refused(update(web, version(web) + 1, spec("web", "b")))).contains("update out of sequence");
    assertThat(refused(update(web, version(web), spec("web2")))).contains("renaming services is not supported");
  }

  @Test
  void anAutomaticRollbackMustHaveBeenSeen() {
    String web = create(spec("web"));
    accept(update(web, version(web), spec("web", "bad")));
    long read = version(web);
    put(Rows.ROLLOUT.key(web),
        RolloutRow.newBuilder().setServiceId(web).setGeneration(2).setFallbackTemplate(1).setState("rollback_started").build());
    assertThat(refused(update(web, read, spec("web", "c")))).contains("update out of sequence");
    accept(update(web, version(web), spec("web", "c")));
  }

  private static NetworkCreateRequest network(String name, String subnet) {
    NetworkCreateRequest.Builder request = NetworkCreateRequest.newBuilder().setName(name).setDriver("overlay");
    return subnet.isEmpty() ? request.build()
        : request.setIpam(IPAM.newBuilder().addConfig(IPAMPool.newBuilder().setSubnet(subnet))).build();
  }

  @Test
  void aNetworkInUseStaysAndGoesRightAfterItsServices() {
    String net = accept(NetworkWrites.create(state, ids.next(), network("front", ""), tick));
    ServiceSpec.Builder spec = spec("web").toBuilder();
    spec.getTaskTemplateBuilder().addNetworks(NetworkAttachmentConfig.newBuilder().setTarget("front"));
    String web = create(spec.build());
    assertThat(state.value(Rows.template(web, 1)).getTask().getNetworks(0).getTarget()).isEqualTo(net);
    assertThat(refused(NetworkWrites.remove(state, net))).contains("network " + net + " is in use by service " + web);
    put(Rows.INTENT.key("t1"),
        TaskIntentRow.newBuilder().setId("t1").setServiceId(web).setTemplate(1).setDesired(TaskState.TASK_REMOVE).build());
    accept(ServiceWrites.remove(state, web, Rows.SEALED.key("registry-auth", web)));
    accept(NetworkWrites.remove(state, net));
    assertThat(count(Rows.REF)).isZero();
  }

  @Test
  void aServiceThatArrivesWhileItsNetworkGoesIsRefusedByTheStore() {
    String net = accept(NetworkWrites.create(state, ids.next(), network("front", ""), tick));
    Answer<Planned<String>> going = NetworkWrites.remove(state, net);
    ServiceSpec.Builder spec = spec("web").toBuilder();
    spec.getTaskTemplateBuilder().addNetworks(NetworkAttachmentConfig.newBuilder().setTarget("front"));
    create(spec.build());
    assertThat(catchThrowable(() -> accept(going))).hasMessageContaining("guard");
  }

  @Test
  void subnetsThatAreTakenAreRefusedByName() {
    put(Rows.NODE_STATUS.key(node), NodeStatusRow.newBuilder().setNodeId(node).addRoutes("192.168.7.0/24").addRoutes("0.0.0.0/0").build());
    accept(NetworkWrites.create(state, ids.next(), network("one", "10.9.0.0/24"), tick));
    assertThat(refused(NetworkWrites.create(state, ids.next(), network("two", "10.9.0.0/16"), tick))).contains("Pool overlaps")
        .contains("network one");
    assertThat(refused(NetworkWrites.create(state, ids.next(), network("two", "192.168.0.0/16"), tick)))
        .contains("overlaps the route 192.168.7.0/24");
    assertThat(refused(NetworkWrites.create(state, ids.next(), network("two", "10.55.0.0/99"), tick)))
        .isEqualTo("Invalid subnet 10.55.0.0/99 : invalid CIDR address: 10.55.0.0/99");
    assertThat(refused(NetworkWrites.create(state, ids.next(), network("bridge", ""), tick)))
        .isEqualTo("network with name bridge already exists");
    assertThat(refused(NetworkWrites.create(state, ids.next(), network("a/b", ""), tick))).contains("valid as a DNS name component");
    assertThat(refused(NetworkWrites.create(state, ids.next(), network("x", "").toBuilder().setIngress(true).build(), tick)))
        .contains("is already present");
  }

  @Test
  void theLastManagerStays() {
    long version = state.row(Rows.NODE_SPEC.key(node)).modRevision();
    assertThat(refused(NodeWrites.update(state, node, version, NodeSpec.newBuilder().setRole("worker").build(), false, tick)))
        .contains("last manager");
    assertThat(refused(NodeWrites.update(state, node, version, NodeSpec.newBuilder().setRole("king").build(), false, tick)))
        .isEqualTo("invalid Role: \"king\"");
    assertThat(refused(NodeWrites.update(state, node, version, NodeSpec.newBuilder().setAvailability("foo").build(), false, tick)))
        .isEqualTo("invalid Availability: \"foo\"");
    accept(NodeWrites.update(state, node, version, NodeSpec.newBuilder().setAvailability("drain").build(), false, tick));
    assertThat(refused(NodeWrites.remove(state, node, true))).contains("It must be demoted to worker before removal");
  }
}
