package dev.skep.backend.etcd;

import dev.skep.backend.StoreException;
import io.etcd.jetcd.api.WatchResponse;

/** The oldest revision that etcd still has. It tells it only to somebody who watches from before. */
final class Oldest {
  private final EtcdWatch.Source source;

  Oldest(EtcdWatch.Source source) {
    this.source = source;
  }

  /** To be asked when something was found to be compacted. */
  long get() {
    Member member = source.members().current();
    try (WatchStream stream = WatchStream.open(member, source.keys().first(EtcdStore.REVISION_KEY), source.keys().end(EtcdStore.REVISION_KEY), 1)) {
      while (true) {
        switch (stream.next(source.silence())) {
          case WatchStream.Signal.Said said -> {
            WatchResponse response = said.response();
            if (response.getCompactRevision() > 0) {
              return response.getCompactRevision();
            }
            if (response.getCanceled() || !response.getCreated()) {
              throw new StoreException("etcd does not tell its oldest revision: " + response.getCancelReason());
            }
            stream.more();
          }
          case WatchStream.Signal.Ended ended -> throw new StoreException("etcd does not tell its oldest revision: " + Fate.sentence(ended.status()));
          case WatchStream.Signal.Silence _, WatchStream.Signal.Woken _ -> throw new StoreException("etcd does not tell its oldest revision");
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("interrupted while waiting for etcd", e);
    }
  }
}
