package dev.skep.relay.shell;

import dev.skep.backend.Store;

/** Whether this process is the one to relay. */
interface Lead {
  /** As far as known. */
  boolean held();

  /** Asks the store itself, and believes it. Throws StoreException when it does not answer. */
  boolean confirmed(Store store);
}
