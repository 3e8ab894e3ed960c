package dev.skep.backend;

/** A store or a log will not do this for us until somebody changes something there, or gives us other credentials; the message says what. */
public final class DeniedException extends StoreException {
  private static final long serialVersionUID = 1;

  public DeniedException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public boolean denied() {
    return true;
  }
}
