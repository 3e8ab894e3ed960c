package dev.skep.backend;

/** A store takes no more until somebody makes room there; the message says how. */
public final class FullException extends StoreException {
  private static final long serialVersionUID = 1;

  public FullException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public boolean full() {
    return true;
  }
}
