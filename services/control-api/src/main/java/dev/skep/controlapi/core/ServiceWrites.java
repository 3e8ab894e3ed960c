package dev.skep.controlapi.core;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.ServiceSpec;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.EffectiveSpec;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.Tick;
import dev.skep.state.v1.NameRow;
import dev.skep.state.v1.RolloutRow;
import dev.skep.state.v1.SealedRow;
import dev.skep.state.v1.ServiceRequest;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TemplateRow;
import dev.skep.state.view.ServiceView;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What a request about a service writes. */
public final class ServiceWrites {
  /** Templates that are kept besides those that something names. */
  static final int KEPT_TEMPLATES = 10;

  /** Of one write: the rest goes with the next. */
  private static final int MOST_FORGOTTEN = 8;

  /** Credentials that came with a request, sealed: {@code key} is the row they go into. */
  public record SealedAuth(Key<SealedRow> key, SealedRow value) {}

  private ServiceWrites() {}

  /** Answers the new service's id. */
  public static Answer<Planned<String>> create(ClusterState state, String id, ServiceSpec sent, Optional<SealedAuth> auth, Tick tick) {
    ServiceSpec named = sent.getName().isEmpty() ? sent.toBuilder().setName("unnamed_" + id.substring(0, 6)).build() : sent;
    return ServiceSpecCheck.accept(state, named, "").then(spec -> created(state, id, spec, auth, tick));
  }

  private static Answer<Planned<String>> created(ClusterState state, String id, ServiceSpec spec, Optional<SealedAuth> auth, Tick tick) {
    if (state.has(Names.service(spec.getName()))) {
      return Answer.refused(ApiError.serviceNameTaken(spec.getName()));
    }
    Optional<ApiError> tooMany = PortClaims.tooMany(spec.getEndpointSpec());
    if (tooMany.isPresent()) {
      return Answer.refused(tooMany.get());
    }
    TemplateRow template = template(id, 1, spec, tick);
    ServiceRow row =
        ServiceRow.newBuilder()
            .setId(id)
            .setCreatedAt(Times.of(tick.now()))
            .setUpdatedAt(Times.of(tick.now()))
            .setGeneration(1)
            .setCurrent(request(spec, 1))
            .build();
    ChangeSet.Builder change = ChangeSet.about(id);
    change.present(Rows.cluster());
    change.absent(Names.service(spec.getName())).put(Names.service(spec.getName()), NameRow.newBuilder().setId(id).build());
    change.put(Rows.SERVICE.key(id), row).put(Rows.template(id, 1), template);
    PortClaims.move(state, id, EndpointSpec.getDefaultInstance(), spec.getEndpointSpec(), change);
    NetworkUse.touch(state, NetworkUse.of(state, template), change);
    auth.ifPresent(sealed -> change.put(sealed.key(), sealed.value()));
    return bounded(id, change);
  }

  /** Answers the service's id. A spec that asks for nothing new is accepted too and restarts nothing. */
  public static Answer<Planned<String>> update(
      ClusterState state, String id, long version, ServiceSpec sent, Optional<SealedAuth> auth, Tick tick) {
    EffectiveSpec inForce = EffectiveSpec.of(state, id);
    if (inForce == null) {
      return Answer.refused(ApiError.notFound(ObjectKind.SERVICE, id));
    }
    return ServiceSpecCheck.accept(state, sent, id).then(spec -> updated(state, inForce, version, spec, auth, tick));
  }

  private static Answer<Planned<String>> updated(
      ClusterState state, EffectiveSpec inForce, long version, ServiceSpec spec, Optional<SealedAuth> auth, Tick tick) {
    String id = inForce.serviceId();
    Row<ServiceRow> service = inForce.serviceRow();
    ServiceRequest before = service.value().getCurrent();
    Optional<ApiError> refusal = refusal(state, inForce, version, spec);
    if (refusal.isPresent()) {
      return Answer.refused(refusal.get());
    }
    TemplateRow fresh = template(id, newest(state, id) + 1, spec, tick);
    Optional<TemplateRow> same = same(state, id, before.getTemplate(), fresh);
    long number = same.orElse(fresh).getNumber();
    ChangeSet.Builder change = ChangeSet.about(id);
    change.unmodified(service);
    change.put(
        Rows.SERVICE.key(id),
        service.value().toBuilder()
            .setUpdatedAt(Times.of(tick.now()))
            .setGeneration(service.value().getGeneration() + 1)
            .setPrevious(before)
            .setCurrent(request(spec, number))
            .build());
    if (same.isEmpty()) {
      change.put(Rows.template(id, number), fresh);
    }
    TemplateRow asked = state.value(Rows.template(id, before.getTemplate()));
    PortClaims.move(state, id, asked.getEndpoint(), spec.getEndpointSpec(), change);
    Set<String> added = new TreeSet<>(NetworkUse.of(state, fresh));
    added.removeAll(NetworkUse.of(state, asked));
    NetworkUse.touch(state, added, change);
    auth.ifPresent(sealed -> change.put(sealed.key(), sealed.value()));
    forget(state, id, List.of(number, before.getTemplate()), change);
    return bounded(id, change);
  }

  private static Optional<ApiError> refusal(ClusterState state, EffectiveSpec inForce, long version, ServiceSpec spec) {
    long shown = ServiceView.of(state, inForce.serviceId()).orElseThrow().getVersion().getIndex();
    if (!Versions.inSequence(version, shown, decidedAt(state, inForce))) {
      return Optional.of(ApiError.outOfSequence());
    }
    return ServiceSpecCheck.change(inForce.serviceRow().value(), spec).or(() -> PortClaims.tooMany(spec.getEndpointSpec()));
  }

  /** The last change that a sender must have seen: the user's own row, and an automatic rollback in force. */
  private static long decidedAt(ClusterState state, EffectiveSpec inForce) {
    Row<RolloutRow> rollout = state.row(Rows.ROLLOUT.key(inForce.serviceId()));
    boolean fellBack = inForce.template().getNumber() != inForce.request().getTemplate();
    long asked = inForce.serviceRow().modRevision();
    return fellBack && rollout != null ? Math.max(asked, rollout.modRevision()) : asked;
  }

  /** Answers the id. Its tasks go on until the orchestrator has stopped them; they need no template for that. */
  public static Answer<Planned<String>> remove(ClusterState state, String id, Key<SealedRow> auth) {
    Row<ServiceRow> service = state.row(Rows.SERVICE.key(id));
    if (service == null) {
      return Answer.refused(ApiError.notFound(ObjectKind.SERVICE, id));
    }
    ChangeSet.Builder change = ChangeSet.about(id);
    change.unmodified(service).delete(Rows.SERVICE.key(id)).delete(Names.service(service.value().getCurrent().getName()));
    TemplateRow asked = state.value(Rows.template(id, service.value().getCurrent().getTemplate()));
    PortClaims.move(state, id, asked.getEndpoint(), EndpointSpec.getDefaultInstance(), change);
    if (state.has(auth)) {
      change.delete(auth);
    }
    List<ChangeSet> changes = new ArrayList<>();
    ChangeSet.Builder current = change;
    for (Row<TemplateRow> template : state.rows(Rows.TEMPLATE, id)) {
      if (current.operations() == ChangeSet.MAX_OPERATIONS) {
        changes.add(current.build());
        current = ChangeSet.about(id);
      }
      current.delete(template.key());
    }
    changes.add(current.build());
    return Answer.ok(new Planned<>(id, changes));
  }

  private static Answer<Planned<String>> bounded(String id, ChangeSet.Builder change) {
    if (change.operations() > ChangeSet.MAX_OPERATIONS) {
      return Answer.refused(ApiError.notBuilt("changing so many ports and networks of one service at once", "change them in steps"));
    }
    return Planned.of(id, change);
  }

  private static ServiceRequest request(ServiceSpec spec, long template) {
    ServiceRequest.Builder request =
        ServiceRequest.newBuilder().setName(spec.getName()).putAllLabels(spec.getLabelsMap()).setMode(spec.getMode()).setTemplate(template);
    if (spec.hasUpdateConfig()) {
      request.setUpdateConfig(spec.getUpdateConfig());
    }
    if (spec.hasRollbackConfig()) {
      request.setRollbackConfig(spec.getRollbackConfig());
    }
    return request.build();
  }

  private static TemplateRow template(String id, long number, ServiceSpec spec, Tick tick) {
    TemplateRow.Builder template =
        TemplateRow.newBuilder().setServiceId(id).setNumber(number).setCreatedAt(Times.of(tick.now())).setTask(spec.getTaskTemplate());
    if (spec.hasEndpointSpec()) {
      template.setEndpoint(spec.getEndpointSpec());
    }
    return template.build();
  }

  /** A kept template that says the same: the one in force if possible, else the newest. No task restarts for it. */
  private static Optional<TemplateRow> same(ClusterState state, String id, long current, TemplateRow fresh) {
    Optional<TemplateRow> found = Optional.empty();
    for (Row<TemplateRow> row : state.rows(Rows.TEMPLATE, id)) {
      TemplateRow kept = row.value();
      if (Normalised.sameTasks(kept.getTask(), kept.getEndpoint(), fresh.getTask(), fresh.getEndpoint())) {
        found = Optional.of(kept);
        if (kept.getNumber() == current) {
          return found;
        }
      }
    }
    return found;
  }

  private static long newest(ClusterState state, String id) {
    long newest = 0;
    for (Row<TemplateRow> row : state.rows(Rows.TEMPLATE, id)) {
      newest = Math.max(newest, row.value().getNumber());
    }
    return newest;
  }

  /** Drops templates that are neither among the last ten nor named by anything. */
  private static void forget(ClusterState state, String id, List<Long> named, ChangeSet.Builder change) {
    List<Row<TemplateRow>> kept = new ArrayList<>();
    state.rows(Rows.TEMPLATE, id).forEach(kept::add);
    if (kept.size() <= KEPT_TEMPLATES) {
      return;
    }
    Set<Long> used = new HashSet<>(named);
    TaskRecord.ofService(state, id).forEach(task -> used.add(task.intent().getTemplate()));
    RolloutRow rollout = state.value(Rows.ROLLOUT.key(id));
    if (rollout != null) {
      used.add(rollout.getFallbackTemplate());
    }
    int forgotten = 0;
    for (Row<TemplateRow> row : kept.subList(0, kept.size() - KEPT_TEMPLATES)) {
      if (!used.contains(row.value().getNumber()) && forgotten < MOST_FORGOTTEN) {
        change.delete(row.key());
        forgotten++;
      }
    }
  }
}
