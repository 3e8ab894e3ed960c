package dev.skep.dns.core;

/** Judges what another resolver sent back. */
public final class Replies {
  private Replies() {}

  /** What a message from an upstream is. */
  public enum Kind {
    /** Not the answer to this question: forged, late, or broken. Go on waiting. */
    STRANGE,
    /** The upstream cannot or will not: another one may. */
    FAILED,
    /** Too long for UDP: ask again over TCP. */
    CUT,
    GOOD
  }

  /** {@code question} is the message as it was sent; names are compared without regard to case. */
  public static Kind judge(byte[] question, Query query, int sentId, byte[] reply, int length) {
    int end = query.questionEnd();
    if (length < Query.HEADER || Query.number(reply, 0) != sentId || (reply[2] & 0x80) == 0 || (reply[2] & 0x78) != 0) {
      return Kind.STRANGE;
    }
    int code = reply[3] & 15;
    if (Query.number(reply, 4) == 0 && code != Answers.NOERROR && length == Query.HEADER) {
      return Kind.FAILED; // some servers send an error without the question
    }
    if (Query.number(reply, 4) != 1 || length < end) {
      return Kind.STRANGE;
    }
    for (int at = Query.HEADER; at < end; at++) {
      if (lower(question[at]) != lower(reply[at])) {
        return Kind.STRANGE;
      }
    }
    if (code != Answers.NOERROR && code != Answers.NXDOMAIN) {
      return Kind.FAILED;
    }
    return (reply[2] & 2) != 0 ? Kind.CUT : Kind.GOOD;
  }

  /** Makes the upstream's reply ours to the asker: its id, its spelling of the name. */
  public static void adopt(byte[] question, Query query, byte[] reply) {
    System.arraycopy(question, Query.HEADER, reply, Query.HEADER, query.questionEnd() - Query.HEADER);
    reply[0] = (byte) (query.id() >> 8);
    reply[1] = (byte) query.id();
    reply[3] |= (byte) 0x80;
  }

  private static int lower(byte b) {
    return b >= 'A' && b <= 'Z' ? b + 32 : b;
  }
}
