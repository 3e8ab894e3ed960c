package dev.skep.moving.shell;

import dev.skep.control.v1.ConfirmRestoreRequest;
import dev.skep.control.v1.ControlGrpc;
import dev.skep.control.v1.ControlGrpc.ControlBlockingStub;
import dev.skep.control.v1.GetRestoreRequest;
import dev.skep.control.v1.Restore;
import dev.skep.control.v1.RestoreNode;
import dev.skep.moving.MovingSettings;
import dev.skep.runtime.grpc.UnixSocketChannel;
import dev.skep.state.Times;
import io.grpc.StatusRuntimeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** Asks the running manager on this machine what a restored cluster waits with, and tells it to go on. */
public final class Confirming {
  private static final int PATIENCE_SECONDS = 30;

  private Confirming() {}

  /** What the confirmation would end. */
  public static String pending(MovingSettings settings) throws Refusal {
    return described(ask(settings, control -> control.getRestore(GetRestoreRequest.getDefaultInstance())), "would end with the confirmation");
  }

  public static String confirm(MovingSettings settings) throws Refusal {
    return described(ask(settings, control -> control.confirmRestore(ConfirmRestoreRequest.getDefaultInstance())), "end now")
        + "\nconfirmed: the cluster becomes what the backup says";
  }

  private static Restore ask(MovingSettings settings, Function<ControlBlockingStub, Restore> question) throws Refusal {
    Path socket = settings.run().resolve("control.sock");
    if (!Files.exists(socket)) {
      throw new Refusal("no manager answers at unix://" + socket + ": start it first, and confirm when its nodes are back");
    }
    try (UnixSocketChannel channel = new UnixSocketChannel(socket)) {
      return question.apply(ControlGrpc.newBlockingStub(channel.channel()).withDeadlineAfter(PATIENCE_SECONDS, TimeUnit.SECONDS));
    } catch (StatusRuntimeException e) {
      throw new Refusal(e.getStatus().getDescription() == null ? e.getStatus().getCode().toString() : e.getStatus().getDescription());
    }
  }

  private static String described(Restore restore, String fate) {
    StringBuilder text = new StringBuilder("restored from a backup of " + Times.of(restore.getCopiedAt()));
    for (RestoreNode node : restore.getNodesList()) {
      text.append("\n  ").append(node.getHostname()).append(" (").append(node.getState()).append("): ");
      if (!node.getState().equals("ready")) {
        text.append("what it runs is not known; it is replaced where a service needs it");
      } else if (node.getUnknownTasksCount() == 0) {
        text.append("runs nothing that the backup does not know");
      } else {
        text.append(node.getUnknownTasksCount()).append(" tasks that the backup does not know ").append(fate).append(':');
        node.getUnknownTasksList().forEach(task -> text.append("\n    ").append(task));
      }
    }
    return text.toString();
  }
}
