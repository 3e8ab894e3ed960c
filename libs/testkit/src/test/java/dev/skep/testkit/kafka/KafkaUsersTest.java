package dev.skep.testkit.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Access;
import dev.skep.backend.Access.Credentials;
import dev.skep.backend.Access.TlsFiles;
import dev.skep.backend.Backends;
import dev.skep.backend.ChangeLog;
import dev.skep.backend.LogEntry;
import dev.skep.backend.LogHistory;
import dev.skep.backend.LogWriter;
import dev.skep.backend.StoreException;
import dev.skep.backend.Users;
import dev.skep.backend.kafka.KafkaChangeLog;
import dev.skep.backend.kafka.KafkaConfig;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.users.HostUsers;
import dev.skep.state.StoreRole;
import dev.skep.testkit.secured.NoUsers;
import dev.skep.testkit.secured.SecuredServers;
import dev.skep.testkit.tls.TestAuthority;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Users of a real broker over TLS: who may do what with the log, and what is said to who may not. */
@Tag("slow")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class KafkaUsersTest {
  private static final String CLUSTER = "cluster1abcdef";

  @TempDir
  private static Path folder;

  private static SecuredServers servers;
  private static HostUsers users;

  @BeforeAll
  static void start() throws Exception {
    servers = SecuredServers.startKafkaOnly(folder);
    Users administrators = Backends.users(servers.adminLog(), servers.logRoot());
    administrators.prepare();
    users = new HostUsers(CLUSTER, StoreAccess.of("etcd://unused", servers.log()), List.of(new NoUsers(), administrators), new SecureRandom());
  }

  @AfterAll
  static void stop() {
    if (users != null) {
      users.close();
    }
    servers.close();
  }

  private static Access as(StoreAccess access) {
    return servers.as(access.user("log").orElseThrow(), access.settings().get("log.password"));
  }

  private static KafkaConfig config(Access access) {
    return KafkaConfig.of(servers.log(), access);
  }

  /** A right or a password reaches the brokers a moment after it was given. */
  private static LogWriter claimed(Access access) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    LogWriter writer = Backends.writer(servers.log(), access);
    while (true) {
      try {
        writer.claim("e");
        return writer;
      } catch (StoreException e) {
        if (System.nanoTime() - end > 0) {
          writer.close();
          throw e;
        }
      }
    }
  }

  private static LogEntry.Changes entry(long revision) {
    return new LogEntry.Changes("e", revision, revision - 1, List.of(LogTopic.change("k", "v", revision)));
  }

  private static void denied(String who, ThrowingCallable what, String... said) {
    assertThatThrownBy(what).as(who).isInstanceOfSatisfying(StoreException.class, e -> {
      assertThat(e.denied()).as("%s: %s", who, e.getMessage()).isTrue();
      List.of(said).forEach(part -> assertThat(e.getMessage()).contains(part));
    });
  }

  @Test
  void oneServiceWritesTheOthersReadAndNobodyElseDoesAnything() throws Exception {
    Map<StoreRole, StoreAccess> services = users.services("node1");
    StoreAccess skepd = users.host("node2");
    try (LogWriter relay = claimed(as(services.get(StoreRole.RELAY)))) {
      long revision = relay.claim("e").revision() + 1;
      relay.append(List.of(new LogEntry.Reset("e", revision, 0, LogEntry.Reason.FIRST), new LogEntry.Snapshot("e", revision, 0, true, List.of())));
      relay.append(List.of(entry(revision + 1)));
      for (Map.Entry<StoreRole, StoreAccess> one : services.entrySet()) {
        readsAndNoMore(one.getKey(), as(one.getValue()), revision + 1);
      }
      relay.append(List.of(entry(revision + 2)));
      try (LogWriter host = claimed(as(skepd))) { // the log of the first is its now
        host.append(List.of(entry(revision + 3)));
        assertThatThrownBy(() -> relay.append(List.of(entry(revision + 3)))).isInstanceOf(LogWriter.FencedException.class);
        assertThat(users.revoke("node2")).containsExactly(skepd.user("log").orElseThrow());
        shutOut(host, revision + 4, as(skepd));
        assertThat(relay.claim("e").revision()).isGreaterThanOrEqualTo(revision + 3);
      }
    }
  }

  private static void readsAndNoMore(StoreRole role, Access access, long end) throws InterruptedException {
    BlockingQueue<ChangeLog.Record> records = new LinkedBlockingQueue<>();
    try (KafkaChangeLog log = new KafkaChangeLog(config(access), LogTopic::thread, () -> "e"); LogHistory history = Backends.history(servers.log(), access);
        ChangeLog.Subscription reading = log.read(end - 1, records::add)) {
      assertThat(reading).isNotNull();
      assertThat(LogTopic.next(records).revision()).as(role.service()).isEqualTo(end);
      assertThat(log.end()).isEqualTo(end);
      List<LogEntry> seen = new ArrayList<>();
      history.scan(end, false, seen::add);
      assertThat(seen).hasSizeGreaterThanOrEqualTo(2);
    }
    try (Users administering = Backends.users(servers.log(), access)) {
      denied(role.service() + " administers", () -> administering.password("x", "y"), "do not allow");
    }
    try (LogWriter elsewhere = Backends.writer(servers.log() + "?topic=another", access)) {
      denied(role.service() + " makes another topic", () -> elsewhere.claim("e"), "do not allow", "skep admin grant");
    }
    if (role != StoreRole.RELAY) {
      try (LogWriter writer = Backends.writer(servers.log(), access)) {
        denied(role.service() + " writes", () -> writer.claim("e"), "do not allow this to user " + access.credentials().orElseThrow().user(), "skep admin grant");
      }
    }
  }

  /** The rights go first, and reach the broker a moment later; the transaction that is open meanwhile never ends. */
  private static void shutOut(LogWriter host, long from, Access access) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    long revision = from;
    boolean works = true;
    while (works) {
      assertThat(System.nanoTime()).as("still writing").isLessThan(end);
      try {
        host.append(List.of(entry(revision++)));
      } catch (StoreException e) {
        works = false;
      }
    }
    denied("over the connection that it has, or a new one", () -> host.claim("e"));
    try (LogWriter again = Backends.writer(servers.log(), access); LogHistory history = Backends.history(servers.log(), access)) {
      denied("anew", () -> again.claim("e"), "do not accept user", "skep admin grant");
      denied("reading", history::end, "do not accept user");
    }
  }

  @Test
  void whatDoesNotFitIsSaidWithWhatToDo() throws Exception {
    StoreAccess granted = users.host("node3");
    claimed(as(granted)).close();
    String user = granted.user("log").orElseThrow();
    TestAuthority foreign = new TestAuthority(Files.createDirectories(folder.resolve("foreign")), "foreign");
    Access unknownRoot = new Access(as(granted).credentials(), Optional.of(new TlsFiles(foreign.root(), Optional.empty(), Optional.empty())));
    Access noCertificate = new Access(Optional.empty(), Optional.of(new TlsFiles(servers.root(), Optional.empty(), Optional.empty())));
    says(servers.log(), servers.as(user, "wrong"), "do not accept user " + user, "log.password-file");
    says(servers.log(), unknownRoot, "does not come from", foreign.root().toString(), "log.ca");
    says(servers.adminLog(), noCertificate, "do not accept our certificate: we have none", "log.certificate");
    assertThat(end(servers.adminLog(), servers.logRoot())).as("an administrator, by certificate").isNotNegative();
  }

  private static void says(String uri, Access access, String... said) {
    denied("reads", () -> end(uri, access), said);
    try (LogWriter writer = Backends.writer(uri, access)) {
      denied("writes", () -> writer.claim("e"), said);
    }
    try (Users administering = Backends.users(uri, access)) {
      denied("administers", () -> administering.names("skep."), said);
    }
  }

  private static long end(String uri, Access access) {
    try (LogHistory history = Backends.history(uri, access)) {
      return history.end();
    }
  }

  @Test
  void aFollowerWhoseUserIsMadeAnewGoesOnAfterwards() throws Exception {
    StoreAccess granted = users.host("node4");
    claimed(as(granted)).close();
    BlockingQueue<ChangeLog.Record> records = new LinkedBlockingQueue<>();
    Access later = servers.as("skep." + CLUSTER.substring(0, 8) + ".node5", "later");
    try (KafkaChangeLog log = new KafkaChangeLog(config(later), LogTopic::thread, () -> "e"); ChangeLog.Subscription early = log.read(0, records::add)) {
      assertThat(early).isNotNull();
      users.host("node5");
      try (Users raw = Backends.users(servers.adminLog(), servers.logRoot()); LogWriter writer = claimed(as(granted))) {
        raw.password(later.credentials().map(Credentials::user).orElseThrow(), "later");
        long revision = writer.claim("e").revision() + 1;
        writer.append(List.of(new LogEntry.Reset("e", revision, 0, LogEntry.Reason.FIRST), new LogEntry.Snapshot("e", revision, 0, true, List.of()),
            entry(revision + 1)));
        long seen = 0;
        while (seen <= revision) {
          seen = LogTopic.next(records).revision();
        }
        assertThat(seen).isEqualTo(revision + 1);
      }
    }
  }
}
