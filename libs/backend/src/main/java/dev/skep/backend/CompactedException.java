package dev.skep.backend;

/** The asked revision was compacted away. */
public class CompactedException extends StoreException {
  private static final long serialVersionUID = 1;
  private final long oldestRevision;

  public CompactedException(long asked, long oldestRevision) {
    super("revision " + asked + " is compacted; the oldest kept is " + oldestRevision);
    this.oldestRevision = oldestRevision;
  }

  public long oldestRevision() {
    return oldestRevision;
  }
}
