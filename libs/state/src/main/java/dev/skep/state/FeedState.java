package dev.skep.state;

import dev.skep.feed.v1.EndpointEntry;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.feed.v1.NetworkEntry;
import dev.skep.feed.v1.PeerEntry;
import dev.skep.feed.v1.ServiceEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The endpoint feed as one node knows it: all entries merged, at one revision of one epoch. Immutable; the parts that
 * hang on it (VIP rules, DNS zone, ingress routes) look at {@link Outcome.Moved#changed()} to do only what changed.
 */
public final class FeedState {
  private static final FeedState EMPTY = new FeedState("", 0, SortedTree.empty(), SortedTree.empty());

  /** What became of an update. */
  public sealed interface Outcome {
    /** {@code changed} holds the keys whose entries are now different, new or gone. */
    record Moved(FeedState state, Set<String> changed) implements Outcome {}

    /** Older than what is known already, from a source that lags: nothing to do. */
    record Stale(String reason) implements Outcome {}

    /** A difference to something else than this state: ask the source for everything. */
    record NeedsComplete(String reason) implements Outcome {}
  }

  private final String epoch;
  private final long revision;
  private final SortedTree<FeedEntry> entries;
  private final SortedTree<EndpointEntry> byService;

  private FeedState(String epoch, long revision, SortedTree<FeedEntry> entries, SortedTree<EndpointEntry> byService) {
    this.epoch = epoch;
    this.revision = revision;
    this.entries = entries;
    this.byService = byService;
  }

  /** Before the first update. */
  public static FeedState empty() {
    return EMPTY;
  }

  public String epoch() {
    return epoch;
  }

  public long revision() {
    return revision;
  }

  public Optional<NetworkEntry> network(String id) {
    return entry("network/" + id).map(FeedEntry::getNetwork);
  }

  public Optional<ServiceEntry> service(String id) {
    return entry("service/" + id).map(FeedEntry::getService);
  }

  public Optional<EndpointEntry> endpoint(String taskId) {
    return entry("endpoint/" + taskId).map(FeedEntry::getEndpoint);
  }

  public Optional<PeerEntry> peer(String nodeId) {
    return entry("peer/" + nodeId).map(FeedEntry::getPeer);
  }

  public Optional<FeedEntry> entry(String key) {
    return Optional.ofNullable(entries.get(key));
  }

  public List<NetworkEntry> networks() {
    List<NetworkEntry> found = new ArrayList<>();
    entries.values("network/").forEach(entry -> found.add(entry.getNetwork()));
    return found;
  }

  public List<ServiceEntry> services() {
    List<ServiceEntry> found = new ArrayList<>();
    entries.values("service/").forEach(entry -> found.add(entry.getService()));
    return found;
  }

  public List<EndpointEntry> endpoints() {
    List<EndpointEntry> found = new ArrayList<>();
    entries.values("endpoint/").forEach(entry -> found.add(entry.getEndpoint()));
    return found;
  }

  public List<PeerEntry> peers() {
    List<PeerEntry> found = new ArrayList<>();
    entries.values("peer/").forEach(entry -> found.add(entry.getPeer()));
    return found;
  }

  /** The service's endpoints in the order of their slots, serving or not. */
  public List<EndpointEntry> endpointsOf(String serviceId) {
    List<EndpointEntry> found = new ArrayList<>();
    byService.values(serviceId + "/").forEach(found::add);
    return found;
  }

  /** Everything as one update: what a late joiner is sent and what is kept on disk. */
  public FeedUpdate toUpdate() {
    FeedUpdate.Builder update = FeedUpdate.newBuilder().setEpoch(epoch).setRevision(revision).setComplete(true);
    entries.values("").forEach(update::addPut);
    return update.build();
  }

  public Outcome apply(FeedUpdate update) {
    boolean sameEpoch = update.getEpoch().equals(epoch);
    if (update.getComplete()) {
      if (sameEpoch && update.getRevision() < revision) {
        return new Outcome.Stale("everything at " + update.getRevision() + ", but " + revision + " is known");
      }
      return complete(update);
    }
    if (!sameEpoch) {
      return new Outcome.NeedsComplete("epoch " + update.getEpoch() + " after epoch " + epoch);
    }
    if (update.getPrevious() != 0 && update.getPrevious() != revision) {
      return update.getRevision() <= revision
          ? new Outcome.Stale("difference to " + update.getPrevious() + ", but " + revision + " is known")
          : new Outcome.NeedsComplete("difference to " + update.getPrevious() + " after " + revision);
    }
    if (update.getRevision() < revision) {
      return new Outcome.NeedsComplete("revision " + update.getRevision() + " after " + revision);
    }
    return difference(update);
  }

  private Outcome complete(FeedUpdate update) {
    FeedState next = new FeedState(update.getEpoch(), update.getRevision(), SortedTree.empty(), SortedTree.empty());
    for (FeedEntry entry : update.getPutList()) {
      next = next.with(entry);
    }
    Set<String> changed = new TreeSet<>();
    for (FeedEntry entry : entries.values("")) {
      if (!entry.equals(next.entries.get(entry.getKey()))) {
        changed.add(entry.getKey());
      }
    }
    for (FeedEntry entry : next.entries.values("")) {
      if (entries.get(entry.getKey()) == null) {
        changed.add(entry.getKey());
      }
    }
    return new Outcome.Moved(next, changed);
  }

  private Outcome difference(FeedUpdate update) {
    FeedState next = new FeedState(epoch, update.getRevision(), entries, byService);
    Set<String> changed = new TreeSet<>();
    for (FeedEntry entry : update.getPutList()) {
      if (!entry.equals(next.entries.get(entry.getKey()))) {
        next = next.with(entry);
        changed.add(entry.getKey());
      }
    }
    for (String key : update.getRemoveList()) {
      if (next.entries.get(key) != null) {
        next = next.without(key);
        changed.add(key);
      }
    }
    return new Outcome.Moved(next, changed);
  }

  private FeedState with(FeedEntry entry) {
    SortedTree<EndpointEntry> index = unindexed(entry.getKey());
    if (entry.hasEndpoint()) {
      index = index.with(indexKey(entry.getEndpoint()), entry.getEndpoint());
    }
    return new FeedState(epoch, revision, entries.with(entry.getKey(), entry), index);
  }

  private FeedState without(String key) {
    return new FeedState(epoch, revision, entries.without(key), unindexed(key));
  }

  private SortedTree<EndpointEntry> unindexed(String key) {
    FeedEntry old = entries.get(key);
    return old != null && old.hasEndpoint() ? byService.without(indexKey(old.getEndpoint())) : byService;
  }

  private static String indexKey(EndpointEntry endpoint) {
    return endpoint.getServiceId() + "/" + String.format("%020d", endpoint.getSlot()) + "/" + endpoint.getTaskId();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FeedState that && toUpdate().equals(that.toUpdate());
  }

  @Override
  public int hashCode() {
    return epoch.hashCode() * 31 + Long.hashCode(revision);
  }

  @Override
  public String toString() {
    return "feed " + epoch + "@" + revision + " (" + entries.size() + " entries)";
  }
}
