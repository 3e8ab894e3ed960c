package dev.skep.dns.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.dns.FeedOf;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.state.FeedState;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AnswersTest {
  private static final int SRV = 33;

  private static FeedOf stack() {
    return new FeedOf()
        .with(FeedOf.network("front", "10.0.1.0/24", false, false))
        .with(FeedOf.network("back", "10.0.2.0/24", false, true))
        .with(FeedOf.network("ingress", "10.0.0.0/16", true, false))
        .with(FeedOf.service("web", "vip", FeedOf.on("front", "10.0.1.2", "www"), FeedOf.on("ingress", "10.0.0.2")))
        .with(FeedOf.service("db", "dnsrr", FeedOf.on("back", "", "Sql")))
        .with(FeedOf.service("api", "vip", FeedOf.on("back", "10.0.2.5"), FeedOf.on("front", "10.0.1.5")))
        .with(FeedOf.task("web", 1, true, List.of(), "front", "10.0.1.11", "ingress", "10.0.0.11"))
        .with(FeedOf.task("web", 2, true, List.of(), "front", "10.0.1.12", "ingress", "10.0.0.12"))
        .with(FeedOf.task("web", 3, false, List.of(), "front", "10.0.1.13", "ingress", "10.0.0.13"))
        .with(FeedOf.task("db", 1, true, List.of("192.0.2.53"), "back", "10.0.2.11"))
        .with(FeedOf.task("db", 2, true, List.of(), "back", "10.0.2.12"))
        .with(FeedOf.task("api", 1, true, List.of(), "front", "10.0.1.21", "back", "10.0.2.21"));
  }

  @Test
  void whoAsksWhatGetsWhat() {
    Zone zone = Zone.of(stack().state());
    String web = "10.0.1.11";
    String api = "10.0.1.21";
    String apiAtItsOtherAddress = "10.0.2.21";
    String db = "10.0.2.11";
    // asker, name, type -> answers, or the code, or FORWARD
    check(zone, web, "web", 1, "10.0.1.2");
    check(zone, web, "WeB", 1, "10.0.1.2");
    check(zone, web, "www", 1, "10.0.1.2");
    check(zone, web, "web.front", 1, "10.0.1.2");
    check(zone, web, "tasks.web", 1, "10.0.1.11 10.0.1.12");
    check(zone, web, "tasks.www", 1, "10.0.1.11 10.0.1.12");
    check(zone, web, "tasks.web.front", 1, "10.0.1.11 10.0.1.12");
    check(zone, web, "web.1.abc", 1, "10.0.1.11");
    check(zone, web, "web.1.abc.front", 1, "10.0.1.11");
    check(zone, web, "web.3.abc", 1, "FORWARD");
    check(zone, web, "api", 1, "10.0.1.5");
    check(zone, web, "api.back", 1, "FORWARD");
    check(zone, web, "db", 1, "FORWARD");
    check(zone, web, "web.ingress", 1, "FORWARD");
    check(zone, web, "web.example.com", 1, "FORWARD");
    check(zone, web, "web.front.example.com", 1, "FORWARD");
    check(zone, web, "example.com", 28, "FORWARD");
    check(zone, web, "web", 28, "NOERROR");
    check(zone, web, "tasks.web", 28, "NOERROR");
    check(zone, web, "web", SRV, "NOERROR");
    check(zone, web, "web", 255, "10.0.1.2");
    check(zone, api, "api", 1, "10.0.1.5");
    check(zone, apiAtItsOtherAddress, "api", 1, "10.0.1.5");
    check(zone, api, "api.back", 1, "10.0.2.5");
    check(zone, api, "db", 1, "10.0.2.11 10.0.2.12");
    check(zone, api, "sql", 1, "10.0.2.11 10.0.2.12");
    check(zone, api, "web", 1, "10.0.1.2");
    check(zone, db, "api", 1, "10.0.2.5");
    check(zone, db, "example.com", 1, "REFUSED"); // only internal networks
    check(zone, "10.0.1.13", "web", 1, "10.0.1.2"); // not serving yet, asks all the same
    check(zone, "10.0.0.11", "web", 1, "10.0.1.2"); // asks from its address on ingress
    check(zone, "192.0.2.1", "web", 1, "REFUSED");
    check(zone, "192.0.2.1", "example.com", 1, "REFUSED");
    check(zone, web, "2.1.0.10.in-addr.arpa", 12, "web.front.");
    check(zone, web, "11.1.0.10.in-addr.arpa", 12, "web.1.abc.front.");
    check(zone, web, "99.1.0.10.in-addr.arpa", 12, "NXDOMAIN");
    check(zone, web, "11.2.0.10.in-addr.arpa", 12, "FORWARD");
    check(zone, web, "8.8.8.8.in-addr.arpa", 12, "FORWARD");
    check(zone, web, "web", 252, "REFUSED");
  }

  private static void check(Zone zone, String asker, String name, int type, String expected) {
    byte[] out = new byte[Answers.ROOM];
    byte[] question = Messages.question(7, name, type);
    String got =
        switch (Answers.answer(zone, question, question.length, Addresses.parse(asker), false, 0, out)) {
          case Answers.Outcome.Forward forward -> "FORWARD";
          case Answers.Outcome.Silence silence -> "SILENCE";
          case Answers.Outcome.Reply reply -> {
            Messages.Reply read = Messages.read(out, reply.length());
            assertThat(read.code()).isEqualTo(reply.code());
            assertThat(read.authoritative()).isEqualTo(reply.code() != Answers.REFUSED);
            yield read.answers() > 0 ? String.join(" ", read.data()) : List.of("NOERROR", "", "", "NXDOMAIN", "", "REFUSED").get(reply.code());
          }
        };
    assertThat(got).as("%s asks for %s %s", asker, name, type).isEqualTo(expected);
  }

  @Test
  void severalAddressesTakeTurns() {
    Zone zone = Zone.of(stack().state());
    Set<String> first = new HashSet<>();
    for (int turn = -1; turn < 1; turn++) {
      first.add(ask(zone, "10.0.1.11", "tasks.web", 0, false, turn).data().getFirst());
    }
    assertThat(first).containsExactlyInAnyOrder("10.0.1.11", "10.0.1.12");
  }

  @Test
  void bigAnswersAreCutToWhatTheAskerTakes() {
    FeedOf feed = new FeedOf().with(FeedOf.network("n", "10.1.0.0/16", false, false)).with(FeedOf.service("s", "dnsrr", FeedOf.on("n", "")));
    for (int n = 1; n <= 1000; n++) {
      feed.with(FeedOf.task("s", n, true, List.of(), "n", "10.1." + n / 250 + "." + (1 + n % 250)));
    }
    Zone zone = Zone.of(feed.state());
    String asker = "10.1.0.2";
    assertThat(ask(zone, asker, "s", 0, false, 3).cut()).isTrue();
    assertThat(ask(zone, asker, "s", 0, false, 3).answers()).isEqualTo((512 - 19) / 16);
    assertThat(ask(zone, asker, "s", 1232, false, 3).answers()).isEqualTo((1232 - 11 - 19) / 16);
    assertThat(ask(zone, asker, "s", 60_000, false, 3).answers()).isEqualTo((4096 - 11 - 19) / 16);
    Messages.Reply whole = ask(zone, asker, "s", 0, true, 3);
    assertThat(whole.cut()).isFalse();
    assertThat(new HashSet<>(whole.data())).hasSize(1000);
  }

  private static Messages.Reply ask(Zone zone, String asker, String name, int payload, boolean tcp, int turn) {
    byte[] out = new byte[Answers.ROOM];
    byte[] question = Messages.question(7, name, 1, payload);
    Answers.Outcome.Reply reply =
        (Answers.Outcome.Reply) Answers.answer(zone, question, question.length, Addresses.parse(asker), tcp, turn, out);
    if (!tcp) {
      assertThat(reply.length()).isLessThanOrEqualTo(payload == 0 ? 512 : payload);
    }
    return Messages.read(out, reply.length());
  }

  @Test
  void anythingAtAllMayComeIn() {
    Zone zone = Zone.of(stack().state());
    byte[] out = new byte[Answers.ROOM];
    for (long seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      for (int n = 0; n < 1_000; n++) {
        byte[] message = Messages.question(random.nextInt(65_536), "tasks.web", 1, random.nextBoolean() ? 1232 : 0);
        switch (random.nextInt(4)) {
          case 0 -> random.nextBytes(message);
          case 1 -> message = java.util.Arrays.copyOf(message, random.nextInt(message.length));
          default -> {
            for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
              message[random.nextInt(message.length)] = (byte) random.nextInt(256);
            }
          }
        }
        try {
          Answers.Outcome outcome = Answers.answer(zone, message, message.length, Addresses.parse("10.0.1.11"), false, n, out);
          if (outcome instanceof Answers.Outcome.Reply reply) {
            assertThat(reply.length()).isBetween(12, 4096);
            assertThat(out[2] & 0x80).isEqualTo(0x80);
          }
        } catch (RuntimeException | AssertionError broken) {
          throw new AssertionError("seed " + seed + " packet " + n + " " + java.util.HexFormat.of().formatHex(message), broken);
        }
      }
    }
  }

  @Test
  void aDotInsideALabelIsNoDot() {
    Zone zone = Zone.of(stack().state());
    byte[] question = Messages.question(1, "web.front", 1);
    question[12] = 9; // one label: "web\003front"
    question[16] = '.'; // now "web.front" in one label
    assertThat(Answers.answer(zone, question, question.length, Addresses.parse("10.0.1.11"), false, 0, new byte[Answers.ROOM]))
        .isInstanceOf(Answers.Outcome.Forward.class);
  }

  @Test
  void stepByStepIsTheSameAsFromScratch() {
    for (long seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      FeedState feed = FeedState.empty();
      Zone zone = Zone.of(feed);
      for (int revision = 1; revision < 40; revision++) {
        FeedUpdate.Builder update = FeedUpdate.newBuilder().setEpoch("e").setRevision(revision).setComplete(revision == 1);
        for (int n = random.nextInt(4); n > 0; n--) {
          if (random.nextInt(5) == 0) {
            update.addRemove(change(random, 10).getKey());
          } else {
            update.addPut(change(random, revision == 1 ? 10 : 40));
          }
        }
        FeedState.Outcome.Moved moved = (FeedState.Outcome.Moved) feed.apply(update.build());
        feed = moved.state();
        zone = zone.next(feed, moved.changed());
        assertThat(zone).as("seed %s revision %s", seed, revision).isEqualTo(Zone.of(feed));
      }
    }
  }

  private static FeedEntry change(Random random, int kinds) {
    int service = random.nextInt(4);
    String network = "n" + random.nextInt(3);
    return switch (random.nextInt(kinds)) {
      case 0, 1 -> FeedOf.network(network, "10.0." + network.charAt(1) + ".0/24", random.nextInt(5) == 0, random.nextBoolean());
      case 2, 3, 4, 10, 11, 12, 13 -> FeedOf.service(
          "s" + service,
          random.nextBoolean() ? "vip" : "dnsrr",
          FeedOf.on("n0", "10.0.0." + (100 + service), "shared", "alias" + random.nextInt(2)),
          FeedOf.on("n1", random.nextBoolean() ? "10.0.1." + (100 + service) : "", "shared"));
      default -> {
        int slot = random.nextInt(4);
        int host = service * 10 + slot + 1;
        yield FeedOf.task("s" + service, slot, random.nextInt(3) > 0, List.of(), "n0", "10.0.0." + host, "n1", "10.0.1." + host);
      }
    };
  }

  @Test
  void otherResolversAreNotBelieved() {
    byte[] question = Messages.question(7, "Example.com", 1);
    Query query = ((Query.Read.Good) Query.read(question, question.length)).query();
    byte[] reply = Messages.question(99, "eXample.com", 1);
    reply[2] = (byte) 0x81;
    reply[3] = (byte) 0x80;
    assertThat(Replies.judge(question, query, 99, reply, reply.length)).isEqualTo(Replies.Kind.GOOD);
    assertThat(Replies.judge(question, query, 98, reply, reply.length)).isEqualTo(Replies.Kind.STRANGE);
    byte[] other = Messages.question(99, "example.org", 1);
    other[2] = (byte) 0x81;
    assertThat(Replies.judge(question, query, 99, other, other.length)).isEqualTo(Replies.Kind.STRANGE);
    byte[] failed = reply.clone();
    failed[3] = (byte) 0x82;
    assertThat(Replies.judge(question, query, 99, failed, failed.length)).isEqualTo(Replies.Kind.FAILED);
    byte[] cut = reply.clone();
    cut[2] |= 2;
    assertThat(Replies.judge(question, query, 99, cut, cut.length)).isEqualTo(Replies.Kind.CUT);
    Replies.adopt(question, query, reply);
    assertThat(reply).startsWith(0, 7).contains("Example".getBytes());
    for (int length = 0; length < reply.length; length++) {
      assertThat(Replies.judge(question, query, 99, reply, length)).isNotEqualTo(Replies.Kind.GOOD);
    }
  }
}
