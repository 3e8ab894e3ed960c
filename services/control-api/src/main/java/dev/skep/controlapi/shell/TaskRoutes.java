package dev.skep.controlapi.shell;

import dev.skep.api.v1.Task;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.Filters;
import dev.skep.controlapi.core.References;
import dev.skep.controlapi.shell.http.MalformedRequest;
import dev.skep.controlapi.shell.http.Reply;
import dev.skep.controlapi.shell.http.Request;
import dev.skep.state.ClusterState;
import dev.skep.state.view.TaskView;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The routes below /tasks, but for logs. */
final class TaskRoutes {
  Reply list(ClusterState state, Request request) throws MalformedRequest {
    return Replies.of(
        Replies.filters(request).then(filters -> Filters.tasks(state, filters, candidates(state, filters))), Replies::list);
  }

  /** Clients that wait for a service ask many times a second: only its own tasks are joined then. */
  private static List<Task> candidates(ClusterState state, Map<String, Set<String>> filters) {
    Set<String> ids = new TreeSet<>();
    for (String reference : filters.getOrDefault("service", Set.of())) {
      if (References.service(state, reference) instanceof Answer.Ok<String>(String id)) {
        ids.add(id);
      }
    }
    if (ids.isEmpty()) {
      return TaskView.all(state);
    }
    List<Task> tasks = new ArrayList<>();
    ids.forEach(id -> tasks.addAll(TaskView.ofService(state, id)));
    return tasks;
  }

  Reply inspect(ClusterState state, String reference) {
    return Replies.of(References.task(state, reference), id -> Replies.message(200, TaskView.of(state, id).orElseThrow()));
  }
}
