package dev.skep.dns.core;

import java.nio.charset.StandardCharsets;

/** Question and source address in, answer out. Answers are written into the caller's array. */
public final class Answers {
  public static final int NOERROR = 0;
  public static final int FORMERR = 1;
  public static final int SERVFAIL = 2;
  public static final int NXDOMAIN = 3;
  public static final int NOTIMP = 4;
  public static final int REFUSED = 5;
  private static final int BADVERS = 16;
  /** Room that an answer may need: a TCP message. */
  public static final int ROOM = 65_535;

  private static final int TTL_SECONDS = 1;
  private static final int OUR_PAYLOAD = 1232;
  private static final int OPTION_SIZE = 11;
  private static final int ADDRESS_RECORD_SIZE = 16;

  /** What to do with a message. */
  public sealed interface Outcome {
    /** Send back the first {@code length} bytes of the array. */
    record Reply(int length, int code) implements Outcome {}

    /** Ask another resolver: the asker's own or the node's. */
    record Forward(Query query, Asker asker) implements Outcome {}

    /** Send nothing. */
    record Silence() implements Outcome {}
  }

  private Answers() {}

  /**
   * @param tcp whether the answer may be as long as it likes
   * @param turn which of several addresses comes first; give another number each time
   */
  public static Outcome answer(Zone zone, byte[] message, int length, int source, boolean tcp, int turn, byte[] out) {
    return switch (Query.read(message, length)) {
      case Query.Read.Noise noise -> new Outcome.Silence();
      case Query.Read.Bad bad -> new Outcome.Reply(bareHeader(message, bad.code(), out), bad.code());
      case Query.Read.Good good -> answer(zone, message, good.query(), source, tcp, turn, out);
    };
  }

  private static Outcome answer(Zone zone, byte[] message, Query query, int source, boolean tcp, int turn, byte[] out) {
    if (query.ednsVersion() != 0) {
      return reply(message, query, BADVERS, false, out);
    }
    Asker asker = zone.asker(source);
    if (asker == null || query.classCode() != Query.IN || query.type() == Query.AXFR || query.type() == Query.IXFR) {
      return reply(message, query, REFUSED, false, out);
    }
    if (query.type() == Query.PTR) {
      int address = Addresses.ofReverseName(query.name());
      String name = address == 0 ? null : zone.pointer(asker, address);
      if (name != null) {
        return name.isEmpty() ? reply(message, query, NXDOMAIN, true, out) : pointer(message, query, name, out);
      }
      return elsewhere(message, query, asker, out);
    }
    return switch (zone.meaning(asker, query.name())) {
      case Zone.Meaning.Known known -> known(message, query, known.addresses(), tcp, turn, out);
      case Zone.Meaning.Foreign foreign -> elsewhere(message, query, asker, out);
    };
  }

  private static Outcome elsewhere(byte[] message, Query query, Asker asker, byte[] out) {
    // A task with internal networks only learns nothing of the outside: a resolver would be a way out.
    if (!asker.outside() || !query.recursionDesired()) {
      return reply(message, query, REFUSED, false, out);
    }
    return new Outcome.Forward(query, asker);
  }

  /** The answer when other resolvers were asked in vain, or may not be asked. */
  public static int failure(byte[] message, Query query, int code, byte[] out) {
    int at = begin(message, query, code, false, out);
    return option(query, 0, at, out);
  }

  /** An answer of another resolver that is longer than the asker takes: the question alone, marked as cut. */
  public static int cut(byte[] message, Query query, byte[] out) {
    int at = begin(message, query, NOERROR, false, out);
    out[2] |= 2;
    return option(query, 0, at, out);
  }

  private static Outcome reply(byte[] message, Query query, int code, boolean authoritative, byte[] out) {
    int at = begin(message, query, code & 15, authoritative, out);
    return new Outcome.Reply(option(query, code >> 4, at, out), code);
  }

  private static Outcome known(byte[] message, Query query, int[] addresses, boolean tcp, int turn, byte[] out) {
    int at = begin(message, query, NOERROR, true, out);
    int records = query.type() == Query.A || query.type() == Query.ANY ? addresses.length : 0;
    if (records > 0) {
      int limit = (tcp ? ROOM : query.payload()) - (query.edns() ? OPTION_SIZE : 0);
      int fit = Math.min(records, (limit - at) / ADDRESS_RECORD_SIZE);
      if (fit < records) {
        out[2] |= 2; // cut: the asker comes again over TCP
      }
      put(out, 6, fit);
      int index = Integer.remainderUnsigned(turn, records);
      for (int n = 0; n < fit; n++) {
        at = addressRecord(out, at, addresses[index]);
        index = index + 1 == records ? 0 : index + 1;
      }
    }
    return new Outcome.Reply(option(query, 0, at, out), NOERROR);
  }

  private static int addressRecord(byte[] out, int start, int address) {
    int at = recordHead(out, start, Query.A);
    put(out, at, 4);
    put(out, at + 2, address >>> 16);
    put(out, at + 4, address);
    return at + 6;
  }

  private static Outcome pointer(byte[] message, Query query, String name, byte[] out) {
    int at = recordHead(out, begin(message, query, NOERROR, true, out), Query.PTR);
    int size = at;
    at += 2;
    for (String label : name.split("\\.")) {
      byte[] bytes = label.getBytes(StandardCharsets.ISO_8859_1);
      if (bytes.length == 0 || bytes.length > 63) {
        return reply(message, query, SERVFAIL, false, out); // a name that DNS cannot say
      }
      out[at++] = (byte) bytes.length;
      System.arraycopy(bytes, 0, out, at, bytes.length);
      at += bytes.length;
    }
    out[at++] = 0;
    put(out, size, at - size - 2);
    put(out, 6, 1);
    return new Outcome.Reply(option(query, 0, at, out), NOERROR);
  }

  /** Name (a pointer to the question), type, class and time to live; the length of the data comes next. */
  private static int recordHead(byte[] out, int at, int type) {
    put(out, at, 0xC000 | Query.HEADER);
    put(out, at + 2, type);
    put(out, at + 4, Query.IN);
    put(out, at + 6, 0);
    put(out, at + 8, TTL_SECONDS);
    return at + 10;
  }

  /** Header and question, as they came, marked as an answer. */
  private static int begin(byte[] message, Query query, int code, boolean authoritative, byte[] out) {
    System.arraycopy(message, 0, out, 0, query.questionEnd());
    header(out, query.flags(), code, authoritative);
    put(out, 4, 1);
    return query.questionEnd();
  }

  private static void header(byte[] out, int flags, int code, boolean authoritative) {
    put(out, 2, 0x8000 | flags & 0x7910 | (authoritative ? 0x0400 : 0) | 0x0080 | code);
    put(out, 4, 0);
    put(out, 6, 0);
    put(out, 8, 0);
    put(out, 10, 0);
  }

  private static int bareHeader(byte[] message, int code, byte[] out) {
    System.arraycopy(message, 0, out, 0, Query.HEADER);
    header(out, Query.number(message, 2), code, false);
    return Query.HEADER;
  }

  private static int option(Query query, int extendedCode, int at, byte[] out) {
    if (!query.edns()) {
      return at;
    }
    put(out, 10, 1);
    out[at] = 0;
    put(out, at + 1, Query.OPT);
    put(out, at + 3, OUR_PAYLOAD);
    out[at + 5] = (byte) extendedCode;
    out[at + 6] = 0;
    put(out, at + 7, 0);
    put(out, at + 9, 0);
    return at + OPTION_SIZE;
  }

  private static void put(byte[] out, int at, int value) {
    out[at] = (byte) (value >> 8);
    out[at + 1] = (byte) value;
  }
}
