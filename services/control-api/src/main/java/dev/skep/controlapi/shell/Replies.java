package dev.skep.controlapi.shell;

import com.google.protobuf.Message;
import dev.skep.controlapi.codec.Decoded;
import dev.skep.controlapi.codec.DockerJson;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.ApiError;
import dev.skep.controlapi.shell.http.MalformedRequest;
import dev.skep.controlapi.shell.http.Reply;
import dev.skep.controlapi.shell.http.Request;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Between the decisions of core and what stands on the wire. */
final class Replies {
  private Replies() {}

  static <T> Reply of(Answer<T> answer, Function<T, Reply> ok) {
    return switch (answer) {
      case Answer.Ok<T>(T value) -> ok.apply(value);
      case Answer.Refused<T>(ApiError error) -> error(error);
    };
  }

  static Reply error(ApiError error) {
    return Reply.error(error.httpStatus(), error.message());
  }

  static Reply message(int status, Message message) {
    return new Reply.Whole(status, Reply.JSON, DockerJson.write(message), Map.of());
  }

  static Reply list(List<? extends Message> messages) {
    return new Reply.Whole(200, Reply.JSON, DockerJson.writeArray(messages), Map.of());
  }

  static <T extends Message> Answer<T> body(Request request, T prototype, String goType)
      throws IOException, MalformedRequest, InterruptedException {
    return answer(DockerJson.read(request.body(), prototype, goType));
  }

  static Answer<Map<String, Set<String>>> filters(Request request) throws MalformedRequest {
    return answer(DockerJson.readFilters(request.query("filters")));
  }

  private static <T> Answer<T> answer(Decoded<T> decoded) {
    return switch (decoded) {
      case Decoded.Ok<T>(T value) -> Answer.ok(value);
      case Decoded.Refused<T>(String message) -> Answer.refused(ApiError.badRequest(message));
    };
  }
}
