package dev.skep.agent.shell;

/** Why a call to the engine brought no answer that can be used. */
public abstract sealed class EngineException extends Exception {
  private static final long serialVersionUID = 1;

  private EngineException(String message, Throwable cause) {
    super(message, cause);
  }

  /** The engine answered with an error; the message is its own. */
  public static final class Refused extends EngineException {
    private static final long serialVersionUID = 1;
    private final int status;

    Refused(int status, String message) {
      super(message, null);
      this.status = status;
    }

    public int status() {
      return status;
    }
  }

  /** Nobody answered, or the answer broke off: the world's failure, tried again. */
  public static final class Unreachable extends EngineException {
    private static final long serialVersionUID = 1;

    Unreachable(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
