package dev.skep.agent.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.agent.shell.TwoManagers.Manager;
import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.Beat;
import dev.skep.dispatcher.v1.DispatcherGrpc;
import dev.skep.dispatcher.v1.LogSubscription;
import dev.skep.dispatcher.v1.NodeReport;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.state.v1.TaskStatusRow;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A node's session with one of two managers. Timers go off when the test says so, and everything else happens at once. */
class SessionTest {
  private final List<AssignmentsMessage> assigned = new ArrayList<>();
  private TwoManagers managers;
  private Session session;

  private final class Node implements Session.Node {
    @Override
    public NodeReport report() {
      return NodeReport.getDefaultInstance();
    }

    @Override
    public Collection<TaskStatusRow> opened() {
      return List.of();
    }

    @Override
    public void assignments(AssignmentsMessage message, boolean confirmed) {
      assigned.add(message);
    }

    @Override
    public void feed(FeedUpdate update) {}

    @Override
    public void logs(LogSubscription subscription, DispatcherGrpc.DispatcherStub stub) {}

    @Override
    public Beat position() {
      return Beat.getDefaultInstance();
    }
  }

  @BeforeEach
  void start() throws Exception {
    managers = new TwoManagers();
    NodeTrust trust = new NodeTrust(managers.host(), managers, "n1", () -> {});
    session = new Session(managers.host(), managers, "n1", trust, new Node());
  }

  @AfterEach
  void stop() {
    session.close();
    managers.close();
  }

  private void open() {
    managers.execute(session::open);
    managers.settle();
  }

  private void serves(Manager manager) {
    assertThat(session.isOpen()).isTrue();
    assertThat(managers.present()).isSameAs(manager);
    int beats = manager.beats();
    managers.goOff("PT0.1S"); // the period that the manager asked for
    assertThat(manager.beats()).as("beats go on").isEqualTo(beats + 1);
    manager.assign(AssignmentsMessage.newBuilder().setRevision(7).build());
    managers.settle();
    assertThat(assigned).as("assignments are heard").extracting(AssignmentsMessage::getRevision).containsExactly(7L);
  }

  @Test
  void aManagerThatTakesNoSessionIsLeftForTheNext() {
    managers.first().takesSessions(false);
    open();
    assertThat(session.isOpen()).isFalse();
    managers.goOff("PT5S"); // the patience with a session that was asked for
    assertThat(managers.turns()).isEqualTo(1); // twice would be back at the one that is silent
    managers.goOffAll();
    serves(managers.second());
  }

  @Test
  void aManagerThatAnswersNoBeatIsLeftForTheNext() {
    managers.first().answersBeats(false);
    open();
    for (int period = 0; session.isOpen() && period < 100; period++) {
      managers.goOff("PT0.1S");
    }
    assertThat(managers.turns()).isEqualTo(1);
    managers.goOffAll();
    serves(managers.second());
  }

  /** As when a manager is silent, and another one says a moment later that it has the store. */
  @Test
  void oneSessionIsOpenedHoweverManyReasonsThereAre() {
    managers.first().takesSessions(false);
    open();
    managers.goOff("PT5S");
    managers.execute(session::restart);
    managers.settle();
    assertThat(managers.waiting()).as("two pauses run").isEqualTo(2);
    managers.goOffLast(); // the second reason's pause may be the shorter one
    assertThat(session.isOpen()).isTrue();
    managers.goOffFirst();
    assertThat(managers.second().sessions()).isEqualTo(1);
    serves(managers.second());
  }

  @Test
  void aSecondSessionBesideAnOpenOneIsARuleBroken() {
    open();
    assertThatThrownBy(session::open).isInstanceOf(IllegalStateException.class).hasMessageContaining("is open");
    serves(managers.first());
  }
}
