package dev.skep.runtime;

/**
 * A service as its host sees it. A host starts components in order and stops them in reverse. {@code start} returns
 * when the component serves; whatever it needs later runs on threads that the host gives it.
 */
public interface Component {
  /** The service's folder name: {@code control-api}, {@code agent}, … */
  String name();

  void start(Host host) throws Exception;

  /** Whether it may see the cluster through the event log: then it does not see sealed rows. */
  default boolean followsLog() {
    return false;
  }

  /** Ends what {@code start} began. Also called when {@code start} failed half-way. */
  void stop() throws Exception;
}
