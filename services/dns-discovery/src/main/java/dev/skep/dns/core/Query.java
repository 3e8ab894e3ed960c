package dev.skep.dns.core;

/**
 * A question as it came over the wire.
 *
 * @param name in lower case, without the last dot; a dot inside a label is written {@code \.}
 * @param questionEnd where the question ends in the message, which begins with twelve bytes of header
 * @param edns whether the asker speaks EDNS
 * @param payload the largest UDP answer it takes
 */
public record Query(
    int id, int flags, String name, int type, int classCode, int questionEnd, boolean edns, int ednsVersion, int payload) {
  static final int HEADER = 12;
  static final int A = 1;
  static final int PTR = 12;
  static final int AAAA = 28;
  static final int OPT = 41;
  static final int IXFR = 251;
  static final int AXFR = 252;
  static final int ANY = 255;
  static final int IN = 1;
  private static final int PLAIN_PAYLOAD = 512;
  private static final int MAX_PAYLOAD = 4096;

  /** What came, as far as it could be read. */
  public sealed interface Read {
    record Good(Query query) implements Read {}

    /** Not a question that can be answered; the sender is told the code, and gets its header back. */
    record Bad(int code) implements Read {}

    /** Too short to answer, or itself an answer: answering could go on for ever. */
    record Noise() implements Read {}
  }

  boolean recursionDesired() {
    return (flags & 0x0100) != 0;
  }

  public static Read read(byte[] message, int length) {
    if (length < HEADER || (message[2] & 0x80) != 0) {
      return new Read.Noise();
    }
    if ((message[2] & 0x78) != 0) {
      return new Read.Bad(Answers.NOTIMP);
    }
    if (number(message, 4) != 1) {
      return new Read.Bad(Answers.FORMERR);
    }
    StringBuilder name = new StringBuilder(32);
    int at = readName(message, length, name);
    if (at < 0 || at + 4 > length) {
      return new Read.Bad(Answers.FORMERR);
    }
    int end = at + 4;
    int records = number(message, 6) + number(message, 8) + number(message, 10);
    int option = records == 0 ? 0 : findOption(message, length, end, records);
    if (option < 0) {
      return new Read.Bad(Answers.FORMERR);
    }
    boolean edns = option > 0;
    int payload = edns ? Math.clamp(number(message, option + 3), PLAIN_PAYLOAD, MAX_PAYLOAD) : PLAIN_PAYLOAD;
    int version = edns ? message[option + 6] & 255 : 0;
    return new Read.Good(
        new Query(
            number(message, 0), number(message, 2), name.toString(), number(message, at), number(message, at + 2), end, edns, version, payload));
  }

  static int number(byte[] message, int at) {
    return (message[at] & 255) << 8 | message[at + 1] & 255;
  }

  /** The position after the name that begins after the header, or -1. A question has nothing to point back to. */
  private static int readName(byte[] message, int length, StringBuilder name) {
    int at = HEADER;
    while (at < length) {
      int size = message[at++] & 255;
      if (size == 0) {
        return at;
      }
      if (size > 63 || at + size > length || at + size - HEADER > 254) {
        return -1;
      }
      if (!name.isEmpty()) {
        name.append('.');
      }
      for (int stop = at + size; at < stop; at++) {
        int c = message[at] & 255;
        if (c == '.' || c == '\\') {
          name.append('\\');
        }
        name.append((char) (c >= 'A' && c <= 'Z' ? c + 32 : c));
      }
    }
    return -1;
  }

  /** The position of the OPT record, 0 when there is none, -1 when the records cannot be read. */
  private static int findOption(byte[] message, int length, int start, int records) {
    int at = start;
    int found = 0;
    for (int n = 0; n < records; n++) {
      int record = at;
      at = skipName(message, length, at);
      if (at < 0 || at + 10 > length) {
        return -1;
      }
      int type = number(message, at);
      at += 10 + number(message, at + 8);
      if (at > length) {
        return -1;
      }
      if (type == OPT) {
        if (found != 0 || message[record] != 0) {
          return -1;
        }
        found = record;
      }
    }
    return found;
  }

  static int skipName(byte[] message, int length, int start) {
    int at = start;
    while (at < length) {
      int size = message[at] & 255;
      if (size == 0) {
        return at + 1;
      }
      if (size >= 0xC0) {
        return at + 2 <= length ? at + 2 : -1;
      }
      if (size > 63) {
        return -1;
      }
      at += 1 + size;
    }
    return -1;
  }
}
