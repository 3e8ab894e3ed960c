package dev.skep.controlapi.shell.http;

/** What a client sent is not HTTP that this server speaks; the connection ends after the answer. */
public final class MalformedRequest extends Exception {
  private static final long serialVersionUID = 1;
  private final int status;

  public MalformedRequest(int status, String message) {
    super(message);
    this.status = status;
  }

  public int status() {
    return status;
  }
}
