package dev.skep.runtime.host;

import dev.skep.backend.Access;
import dev.skep.backend.Backends;
import dev.skep.backend.ChangeLog;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.backend.Threads;
import dev.skep.runtime.Component;
import dev.skep.runtime.identity.Trust;
import dev.skep.runtime.view.StoreView;
import dev.skep.runtime.view.ViewMetrics;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How a process gets its store, its log and its view. A store that others serve may be away: the process waits for it. */
final class StoreOpening {
  private static final Logger LOG = LoggerFactory.getLogger(StoreOpening.class);
  private static final int REFUSALS = 2;
  private static final Duration FIRST_WAIT = Duration.ofMillis(200);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(3);

  private final BasicHost host;
  private final HostBuilder options;
  private final String uri;
  private final boolean alone;
  private final Threads threads;
  private Store store;

  /** @param alone nobody else can open the store, so that waiting would not help */
  StoreOpening(BasicHost host, HostBuilder options, String uri, boolean alone, Threads threads) {
    this.host = host;
    this.options = options;
    this.uri = uri;
    this.alone = alone;
    this.threads = threads;
  }

  Store store() {
    store = there(() -> options.shared.orElseGet(() -> Backends.store(uri, options.storeAccess, threads)));
    return store;
  }

  /** The log is opened when somebody asks for it. */
  LazyLog log(Supplier<String> epoch, UnaryOperator<Store.Change> publish) {
    return new LazyLog(() -> {
      if (!alone && options.log.isEmpty()) {
        throw new StoreException("this process was not told where the event log is: see the setting 'log'");
      }
      return Backends.log(options.log.orElse(uri), options.logAccess, store, threads, epoch, publish);
    });
  }

  StoreView view(Supplier<ChangeLog> log) {
    boolean followsLog = !alone && options.log.isPresent() && !options.components.isEmpty()
        && options.components.stream().allMatch(Component::followsLog);
    ViewMetrics metrics = followsLog ? new ViewMetrics(host.metrics()) : null;
    return there(() -> followsLog ? new StoreView(store, log, metrics) : new StoreView(store));
  }

  private <T> T there(Supplier<T> opened) {
    Duration wait = FIRST_WAIT;
    String said = "";
    int denied = 0;
    try {
      while (true) {
        try {
          T got = opened.get();
          if (!said.isEmpty()) {
            LOG.info("the store is there");
          }
          return got;
        } catch (StoreException e) {
          if (alone) {
            throw e;
          }
          String what = "the store " + uri + ": " + e.getMessage();
          if (!what.equals(said)) {
            said = what;
            LOG.warn("waiting for {}", what);
          }
          denied = e.denied() ? denied + 1 : 0;
          if (denied > REFUSALS) {
            endWhenShutOut();
          }
          if (!host.waitFor(what, wait)) {
            throw new IllegalStateException("asked to end while waiting for " + what, e);
          }
          wait = wait.multipliedBy(2).compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : wait.multipliedBy(2);
        }
      }
    } catch (RuntimeException e) {
      if (store != null) {
        store.close();
      }
      host.abandon();
      throw e;
    }
  }

  /** A host that was demoted while it was down would wait for ever. */
  private void endWhenShutOut() {
    Optional<String> user = options.storeAccess.credentials().map(Access.Credentials::user);
    ShutOut shutOut = new ShutOut(new FileMembership(host.membershipFolder()), new Trust(host.identityFolder(), host.clock()), host.identityFolder());
    if (shutOut.concerns(user)) {
      switch (shutOut.ask()) {
        case ShutOut.Answer.Again(String why) -> throw new IllegalStateException(why + "; it has to start again");
        case ShutOut.Answer.Unknown(String why) -> LOG.warn("{}", why);
      }
    }
  }
}
