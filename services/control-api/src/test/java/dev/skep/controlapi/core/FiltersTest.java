package dev.skep.controlapi.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.Node;
import dev.skep.api.v1.Service;
import dev.skep.api.v1.Task;
import dev.skep.controlapi.codec.Decoded;
import dev.skep.controlapi.codec.DockerJson;
import dev.skep.state.Rows;
import dev.skep.state.view.NetworkView;
import dev.skep.state.view.NodeView;
import dev.skep.state.view.ServiceView;
import dev.skep.state.view.TaskView;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FiltersTest {
  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
    "{}|abc1 abd2",
    "{\"id\":[\"abc\"]}|abc1",
    "{\"id\":{\"ab\":true}}|abc1 abd2",
    "{\"name\":[\"we\"]}|abc1",
    "{\"name\":[\"web\",\"db\"]}|abc1 abd2",
    "{\"name\":[\"eb\"]}|``",
    "{\"label\":[\"stack\"]}|abc1 abd2",
    "{\"label\":[\"stack=web\"]}|abc1",
    "{\"label\":[\"stack=web\",\"stack=db\"]}|``",
    "{\"label\":[\"stack=\"]}|abc1 abd2",
    "{\"mode\":[\"replicated\"],\"name\":[\"db\"]}|abd2",
    "{\"mode\":[\"sometimes\"]}|``",
    "{\"runtime\":[\"container\"]}|abc1 abd2",
    "{\"foo\":[\"x\"]}|400 Invalid filter 'foo'",
  })
  void services(String filters, String expected) {
    var state = rows().state();
    assertThat(text(Filters.services(parsed(filters), ServiceView.all(state)), Service::getId)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
    "{}|t1 t2 t3",
    "{\"id\":[\"t1\"]}|t1",
    "{\"name\":[\"web.1\"]}|t1 t2",
    "{\"name\":[\"web.1.t2\"]}|t2",
    "{\"service\":[\"web\"]}|t1 t2",
    "{\"service\":[\"abd2\"]}|t3",
    "{\"service\":[\"web\",\"db\"]}|t1 t2 t3",
    "{\"service\":[\"nosuch\"]}|404 service nosuch not found",
    "{\"service\":[\"ab\"]}|400 service ab is ambiguous (2 matches found)",
    "{\"node\":[\"nosuch\"]}|404 node nosuch not found",
    "{\"node\":[\"worker1\"]}|``",
    "{\"label\":[\"stack=db\"]}|t3",
    "{\"desired-state\":[\"running\"]}|t1 t2 t3",
    "{\"desired-state\":[\"Shutdown\"]}|``",
    "{\"desired-state\":[\"foo\"]}|500 Invalid desired-state filter: 'foo'",
    "{\"_up-to-date\":{\"true\":true},\"service\":{\"web\":true}}|t2",
    "{\"foo\":[\"x\"]}|400 Invalid filter 'foo'",
  })
  void tasks(String filters, String expected) {
    var state = rows().state();
    assertThat(text(Filters.tasks(state, parsed(filters), TaskView.all(state)), Task::getId)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
    "{}|n1 n2",
    "{\"name\":[\"worker\"]}|n2",
    "{\"role\":[\"manager\"]}|n1",
    "{\"role\":[\"x\"]}|500 Invalid role filter: 'x'",
    "{\"membership\":[\"accepted\"]}|n1 n2",
    "{\"membership\":[\"pending\"]}|``",
    "{\"node.label\":[\"zone=worker1\"]}|n2",
    "{\"label\":[\"zone\"]}|``",
    "{\"foo\":[\"x\"]}|400 Invalid filter 'foo'",
  })
  void nodes(String filters, String expected) {
    assertThat(text(Filters.nodes(parsed(filters), NodeView.all(rows().state())), Node::getId)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
    "{}|net0 net1",
    "{\"name\":[\"ron\"]}|net1",
    "{\"driver\":[\"overlay\"]}|net0 net1",
    "{\"driver\":[\"bridge\"]}|``",
    "{\"scope\":[\"swarm\"]}|net0 net1",
    "{\"type\":[\"custom\"]}|net0 net1",
    "{\"type\":[\"x\"]}|400 Invalid filter: 'type'='x'",
    "{\"dangling\":[\"true\"]}|net1",
    "{\"dangling\":[\"false\"]}|net0",
    "{\"foo\":[\"x\"]}|400 Invalid filter 'foo'",
  })
  void networks(String filters, String expected) {
    var state = rows().state();
    assertThat(text(Filters.networks(state, parsed(filters), NetworkView.all(state)), network -> network.getId())).isEqualTo(expected);
  }

  @Test
  void referencesGoByIdThenNameThenPrefix() {
    var state =
        rows()
            .service("web", "shadow", EndpointSpec.getDefaultInstance()) // an id that is another one's name
            .node("n3", "worker1", "worker")
            .network("net2", "front", false)
            .state();
    assertThat(References.service(state, "web")).isEqualTo(Answer.ok("web"));
    assertThat(References.service(state, "shadow")).isEqualTo(Answer.ok("web"));
    assertThat(References.service(state, "abd")).isEqualTo(Answer.ok("abd2"));
    assertThat(message(References.service(state, "a/b"))).isEqualTo("404 service a/b not found");
    assertThat(message(References.service(state, ""))).isEqualTo("404 service  not found");
    assertThat(message(References.node(state, "worker1"))).isEqualTo("400 node worker1 is ambiguous (2 matches found)");
    assertThat(message(References.node(state, "self"))).isEqualTo("404 node self not found");
    assertThat(message(References.network(state, "front"))).isEqualTo("400 network front is ambiguous (2 matches found based on name)");
    assertThat(message(References.network(state, "net"))).isEqualTo("400 network net is ambiguous (3 matches found based on ID prefix)");
    assertThat(References.network(state, "ingress")).isEqualTo(Answer.ok("net0"));
    assertThat(References.task(state, "t1")).isEqualTo(Answer.ok("t1"));
    assertThat(message(References.task(state, "nosuch"))).isEqualTo("404 task nosuch not found");
  }

  /** The service web has moved on to template 2; t1 still runs the first. */
  private static Rowset rows() {
    Rowset rows =
        new Rowset()
            .network("net0", "ingress", true)
            .network("net1", "front", false)
            .node("n1", "manager1", "manager")
            .node("n2", "worker1", "worker")
            .service("abc1", "web", EndpointSpec.getDefaultInstance())
            .service("abd2", "db", EndpointSpec.getDefaultInstance());
    var service = rows.state().value(Rows.SERVICE.key("abc1"));
    rows.put(Rows.template("abc1", 2), rows.state().value(Rows.template("abc1", 1)).toBuilder().setNumber(2).build());
    rows.put(Rows.SERVICE.key("abc1"), service.toBuilder().setCurrent(service.getCurrent().toBuilder().setTemplate(2)).build());
    return rows.task("t1", "abc1", 1, 1).task("t2", "abc1", 1, 2).task("t3", "abd2", 1, 1);
  }

  private static Map<String, Set<String>> parsed(String json) {
    return ((Decoded.Ok<Map<String, Set<String>>>) DockerJson.readFilters(json)).value();
  }

  private static <T> String text(Answer<List<T>> answer, Function<T, String> id) {
    return switch (answer) {
      case Answer.Ok<List<T>> ok -> String.join(" ", ok.value().stream().map(id).toList());
      case Answer.Refused<List<T>> refused -> refused.error().httpStatus() + " " + refused.error().message();
    };
  }

  private static String message(Answer<String> answer) {
    ApiError error = ((Answer.Refused<String>) answer).error();
    return error.httpStatus() + " " + error.message();
  }
}
