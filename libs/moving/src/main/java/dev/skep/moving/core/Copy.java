package dev.skep.moving.core;

import dev.skep.state.ClusterState;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Key;
import dev.skep.state.RowKind;
import dev.skep.state.Rows;
import dev.skep.state.Times;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.Origin;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * All rows of a cluster at one revision of its store, in key order, as they lie there: sealed ones sealed. Rows that
 * speak about running processes are left out: who leads a loop, which dispatchers there are, and which of them holds a node's
 * session.
 */
public record Copy(long revision, Instant copiedAt, List<Stored> rows) {
  private static final Set<RowKind<?>> OF_PROCESSES = Set.of(Rows.LEADER, Rows.PEER, Rows.SESSION);

  public Copy {
    rows = rows.stream().sorted(Comparator.comparing(Stored::path)).toList(); // stores have orders of their own
  }

  /** Of everything that a store holds. */
  public static Verdict<Copy> of(long revision, List<Stored> everything, Instant now) {
    List<Stored> rows = new ArrayList<>();
    boolean cluster = false;
    for (Stored row : everything) {
      Optional<Key<?>> key = Rows.keyOf(row.path());
      if (key.isEmpty()) {
        return Verdict.refused("it holds " + row.path() + ", which this version does not know: use the version that wrote it");
      }
      if (!OF_PROCESSES.contains(key.get().kind())) {
        rows.add(row);
      }
      cluster |= row.path().equals(Rows.cluster().path());
    }
    if (!cluster) {
      return Verdict.refused("there is no cluster in it");
    }
    return Verdict.good(new Copy(revision, now, rows));
  }

  public ClusterState state() {
    return ClusterState.empty().apply(revision, rows).state();
  }

  public ClusterRow cluster() {
    return state().value(Rows.cluster());
  }

  /** Equal for two copies exactly if their rows are, whatever their revisions. The cluster's own row tells lives apart and does not count. */
  public String digest() {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Stored row : rows) {
        if (!row.path().equals(Rows.cluster().path())) {
          add(digest, row.path().getBytes(StandardCharsets.UTF_8));
          add(digest, row.value());
        }
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private static void add(MessageDigest digest, byte[] bytes) {
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
    digest.update(bytes);
  }

  /** The cluster's row in the store that this copy fills: under a new epoch, so that nodes take lower revisions for what they are. */
  public ClusterRow reborn(String epoch, boolean unconfirmed) {
    ClusterRow before = cluster();
    return before.toBuilder()
        .setEpoch(epoch)
        .setOrigin(Origin.newBuilder()
            .setEpoch(before.getEpoch())
            .setRevision(revision)
            .setCopiedAt(Times.of(copiedAt))
            .setUnconfirmed(unconfirmed))
        .build();
  }

  /** The store that holds this cluster row was filled from this copy, at whatever time. */
  public boolean filled(ClusterRow target) {
    ClusterRow source = cluster();
    return target.getId().equals(source.getId())
        && target.getOrigin().getEpoch().equals(source.getEpoch())
        && target.getOrigin().getRevision() == revision;
  }
}
