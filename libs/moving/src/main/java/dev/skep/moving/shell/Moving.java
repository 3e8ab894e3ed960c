package dev.skep.moving.shell;

import dev.skep.backend.Access;
import dev.skep.backend.Backends;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.backend.Threads;
import dev.skep.moving.MovingSettings;
import dev.skep.moving.core.Copy;
import dev.skep.moving.core.Target;
import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.config.SettingsException;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.state.ClusterState;
import dev.skep.state.IdSource;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.Optional;

/** The commands. Each answers what it did, in a sentence for whoever called it. */
public final class Moving {
  private static final String EMBEDDED = "embedded:";

  private final MovingSettings settings;
  private final Threads threads;
  private final Clock clock;
  private final IdSource ids = new IdSource(new SecureRandom());
  private final Standing standing;

  public Moving(MovingSettings settings, Threads threads, Clock clock) {
    this.settings = settings;
    this.threads = threads;
    this.clock = clock;
    this.standing = new Standing(settings);
  }

  /** Beside a running cluster: everything is read at one revision. */
  public String backup() throws Refusal {
    Path file = file();
    Copy copy = copy(Backends.look(settings.store(), settings.access(), threads), settings.store());
    BackupFile.write(file, copy);
    return "wrote " + file + ": " + copy.rows().size() + " rows at revision " + copy.revision() + " of cluster " + copy.cluster().getId();
  }

  /** Into a store that is empty, while nothing runs on it. */
  public String restore() throws Refusal {
    Path file = file();
    Copy copy = BackupFile.read(file);
    standing.requireManagerOf(copy);
    try (Store store = Backends.store(settings.store(), settings.access(), threads)) {
      switch (Target.of(Filler.rows(store.read("")), copy)) {
        case Target.Vacant(var leftovers) -> new Filler(store, settings.store()).fill(copy, copy.reborn(ids.next(), true), leftovers);
        case Target.Filled() -> throw new Refusal(settings.store() + " was filled from this backup already");
        case Target.Occupied(String reason) -> throw new Refusal("cannot restore into " + settings.store() + ": " + reason
            + ". Move it away first; what runs is not touched by that");
      }
    }
    return "restored " + copy.rows().size() + " rows of " + copy.copiedAt() + " into " + settings.store()
        + ". Now start Skep: it takes its nodes back and changes nothing until 'skep restore --confirm'";
  }

  /** While skepd is stopped. Killed at any point it can be run again. */
  public String migrate() throws Refusal {
    String to = settings.to().orElseThrow(() -> new SettingsException("where to? --to=etcd://…"));
    String already = "this cluster is at " + to + " already";
    if (to.equals(settings.store())) {
      return already;
    }
    Optional<Path> source = sourceFolder();
    try (Store target = Backends.store(to, settings.access(), threads)) {
      if (source.isPresent() && !Files.exists(source.get().resolve("store.db"))) {
        MovedHost host = MovedHost.of(settings, alreadyThere(target));
        host.goesThere(target, host.access()); // the run before came to its last step
        return already;
      }
      MovedHost host;
      StoreAccess access;
      try (Store store = Backends.store(settings.store(), settings.access(), threads)) {
        Copy copy = copy(store.read(""), settings.store());
        Target verdict = Target.of(Filler.rows(target.read("")), copy);
        if (verdict instanceof Target.Occupied(String reason)) {
          throw new Refusal("cannot move to " + to + ": " + reason);
        }
        host = MovedHost.of(settings, standing.memberOf(copy.cluster()));
        access = host.access();
        requireLog(host.toLog(access));
        if (verdict instanceof Target.Vacant(var leftovers)) {
          new Filler(target, to).fill(copy, copy.reborn(ids.next(), copy.cluster().getOrigin().getUnconfirmed()), leftovers);
        } // else by a run before this one, that did not come to its end
      }
      String kept = source.isPresent() ? retire(source.get()) : settings.store();
      host.goesThere(target, access);
      return "moved to " + to + "; the old store is kept in " + kept;
    }
  }

  /** A cluster without its log would run and have no history; that is told before anything is moved. */
  private void requireLog(Access as) throws Refusal {
    if (settings.log().isPresent()) {
      try {
        Backends.tryLog(settings.log().get(), as);
      } catch (StoreException e) {
        throw new Refusal("nothing was moved. The event log cannot be used: " + e.getMessage());
      }
    }
  }

  private Identity alreadyThere(Store target) throws Refusal {
    ClusterState state = ClusterState.empty().apply(target.revision(), Filler.rows(target.read(Rows.cluster().path()))).state();
    ClusterRow cluster = state.value(Rows.cluster());
    return standing.member().filter(me -> cluster != null && me.clusterId().equals(cluster.getId()))
        .orElseThrow(() -> new Refusal("there is no store at " + settings.store() + " to move"));
  }

  /** The old store must not be started again by accident: two stores would tell the nodes different things. */
  private static String retire(Path store) throws Refusal {
    try {
      Path kept = store.resolveSibling(store.getFileName() + ".moved");
      for (int number = 2; Files.exists(kept); number++) {
        kept = store.resolveSibling(store.getFileName() + ".moved-" + number);
      }
      return Files.move(store, kept).toString();
    } catch (IOException e) {
      throw new Refusal("everything was copied, but " + store + " cannot be renamed (" + e + "): do it by hand, so that nobody starts it again");
    }
  }

  private Optional<Path> sourceFolder() {
    return settings.store().startsWith(EMBEDDED) ? Optional.of(Path.of(settings.store().substring(EMBEDDED.length()))) : Optional.empty();
  }

  private Copy copy(Store.Snapshot snapshot, String whose) throws Refusal {
    Copy copy = Refusal.unless(whose + " cannot be copied", Copy.of(snapshot.revision(), Filler.rows(snapshot), clock.instant()));
    if (copy.rows().stream().noneMatch(row -> row.path().equals(SealedRows.authorityKey().path()))) {
      throw new Refusal(whose + " cannot be copied: the cluster's sealed rows are not among what can be read there; read it as a user who may see them");
    }
    return copy;
  }

  private Path file() {
    return settings.file().orElseThrow(() -> new SettingsException("which file?"));
  }
}
