package dev.skep.state;

import dev.skep.state.v1.RolloutRow;
import dev.skep.state.v1.ServiceRequest;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TemplateRow;

/**
 * What is in force for a service: the user's request, with the template that an automatic rollback may have put in the
 * place of the one asked for. Every service acts on this and never on the request alone.
 */
public record EffectiveSpec(Row<ServiceRow> serviceRow, Row<TemplateRow> templateRow) {

  /** Null when the service is gone. */
  public static EffectiveSpec of(ClusterState state, String serviceId) {
    Row<ServiceRow> service = state.row(Rows.SERVICE.key(serviceId));
    if (service == null) {
      return null;
    }
    long wanted = service.value().getCurrent().getTemplate();
    RolloutRow rollout = state.value(Rows.ROLLOUT.key(serviceId));
    if (rollout != null && rollout.getGeneration() == service.value().getGeneration() && rollout.getFallbackTemplate() != 0) {
      wanted = rollout.getFallbackTemplate();
    }
    Row<TemplateRow> template = state.row(Rows.template(serviceId, wanted));
    if (template == null) {
      throw new IllegalStateException("service " + serviceId + " names template " + wanted + ", which is not stored");
    }
    return new EffectiveSpec(service, template);
  }

  public String serviceId() {
    return serviceRow.key().lastPart();
  }

  public ServiceRequest request() {
    return serviceRow.value().getCurrent();
  }

  public TemplateRow template() {
    return templateRow.value();
  }

  public boolean global() {
    return request().getMode().hasGlobal();
  }

  /** Wanted replicas; 0 for a global service. */
  public long replicas() {
    return request().getMode().getReplicated().getReplicas();
  }
}
