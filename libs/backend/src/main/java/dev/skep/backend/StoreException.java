package dev.skep.backend;

/** The store did not answer, or refused for a reason of its own: the world's failure, not the caller's. */
public class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public StoreException(String message) {
    super(message);
  }

  public StoreException(String message, Throwable cause) {
    super(message, cause);
  }

  /** Whether asking again is useless until somebody changes something there, or gives us other credentials. */
  public boolean denied() {
    return false;
  }

  /** Whether it answered that it takes no more until somebody makes room there. It did nothing then. */
  public boolean full() {
    return false;
  }

  /** A sentence for whoever asked for something. */
  public String told() {
    return (full() ? "the store is full: " : denied() ? "the store refuses it: " : "the store does not answer: ") + getMessage();
  }
}
