package dev.skep.controlapi.shell;

import dev.skep.backend.StoreException;
import dev.skep.runtime.Host;
import dev.skep.runtime.host.ShutOut;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks whether the store still lets this manager in; when it does not, another manager says what to do. */
final class OwnUser implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OwnUser.class);
  private static final Duration PAUSE = Duration.ofSeconds(5);
  private static final int REFUSALS = 2;

  private final Host host;
  private final ShutOut shutOut;
  private volatile AutoCloseable timer = () -> {};
  private volatile boolean closed;
  private int refused;

  OwnUser(Host host) {
    this.host = host;
    this.shutOut = new ShutOut(host.membership(), host.trust(), host.dataFolder("identity"));
    again();
  }

  private void again() {
    if (!closed && host.storeAccess().shared() && host.storeAccess().user("store").isPresent()) {
      timer = host.after(PAUSE, () -> host.blocking("control-api-own-user", this::look));
    }
  }

  private void look() {
    if (refuses() && shutOut.concerns(host.storeAccess().user("store"))) {
      switch (shutOut.ask()) {
        case ShutOut.Answer.Again(String why) -> host.restart(why);
        case ShutOut.Answer.Unknown(String why) -> LOG.warn("{}", why);
      }
    }
    again();
  }

  private boolean refuses() {
    try {
      host.store().revision();
      refused = 0;
    } catch (StoreException e) {
      refused = e.denied() ? refused + 1 : 0;
    }
    return refused >= REFUSALS;
  }

  @Override
  public void close() {
    closed = true;
    Cluster.close(timer);
  }
}
