package dev.skep.moving.shell;

import dev.skep.moving.MovingSettings;
import dev.skep.moving.core.Copy;
import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.host.FileMembership;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import java.io.IOException;
import java.util.Optional;

/** What this machine has to do with the cluster of a copy. */
final class Standing {
  private final MovingSettings settings;

  Standing(MovingSettings settings) {
    this.settings = settings;
  }

  Optional<Identity> member() {
    return new FileMembership(settings.membership()).current();
  }

  /** This machine as a manager of that cluster, as which it goes on where the cluster is then. */
  Identity memberOf(ClusterRow cluster) throws Refusal {
    return member().filter(me -> me.manager() && me.clusterId().equals(cluster.getId()))
        .orElseThrow(() -> new Refusal("this machine is no manager of cluster " + cluster.getId() + ": move it where it runs"));
  }

  /** A store that is filled on a machine which cannot serve it would only look like a cluster. */
  void requireManagerOf(Copy copy) throws Refusal {
    String cluster = copy.cluster().getId();
    Identity identity = member().orElseThrow(() -> new Refusal("this machine is in no cluster: first put back " + settings.membership().resolve("membership.properties")
        + " and " + settings.keys() + "/ of a manager of cluster " + cluster + " (docs/OPERATIONS.md, Saving and restoring)"));
    if (!identity.clusterId().equals(cluster)) {
      throw new Refusal("this machine is a node of cluster " + identity.clusterId() + ", and the backup is of cluster " + cluster);
    }
    ClusterState state = copy.state();
    if (!identity.manager() || !state.has(Rows.NODE_SPEC.key(identity.nodeId()))) {
      throw new Refusal("the backup does not know this machine as a manager (node " + identity.nodeId() + "): restore it on one that was a manager then");
    }
    requireKeyOf(state);
  }

  private void requireKeyOf(ClusterState state) throws Refusal {
    try {
      ClusterKey key = ClusterKey.read(settings.keys());
      var sealed = state.value(SealedRows.authorityKey());
      if (sealed == null) {
        throw new Refusal("the backup lacks the cluster's sealed rows: nodes could not be given certificates");
      }
      key.open(SealedRows.authorityKey(), sealed);
    } catch (IOException e) {
      throw new Refusal("the cluster's key cannot be read, and without it the backup's sealed rows are noise: " + e.getMessage());
    } catch (IllegalStateException e) {
      throw new Refusal(settings.keys().resolve("cluster.key") + " is not the key that sealed the backup's rows: put the right one back");
    }
  }
}
